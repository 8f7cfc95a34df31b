"""A Panel app: its slider calls Python, which changes the text."""

import panel as pn

pn.extension()

slider = pn.widgets.IntSlider(name="f", start=1, end=10, value=1)
text = pn.bind(lambda value: f"Python says: f is {value}", slider)
pn.Column(slider, pn.pane.Markdown(text)).servable(title="Slider")
