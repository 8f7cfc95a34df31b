"""A Bokeh app: its slider calls Python, which changes the plot and the text."""

import math

from bokeh.io import curdoc
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Div, Slider
from bokeh.plotting import figure

xs = [step / 20 for step in range(126)]
source = ColumnDataSource({"x": xs, "y": [math.sin(x) for x in xs]})
plot = figure(height=300, width=600, title="sin(f x)")
plot.line("x", "y", source=source)
slider = Slider(title="f", name="f", start=1, end=10, step=1, value=1)
text = Div(text="f is 1")


def changed(attribute, old, new):
    source.data = {"x": xs, "y": [math.sin(new * x) for x in xs]}
    text.text = f"Python says: f is {new}"


slider.on_change("value", changed)
curdoc().add_root(column(slider, text, plot))
curdoc().title = "Slider"
