"""A Flexx app: its slider calls Python, which changes the text. Its argument is the port."""

import sys

from flexx import flx


class Slide(flx.PyWidget):
    def init(self):
        with flx.VBox():
            self.slider = flx.Slider(min=0, max=10, step=1, value=1)
            self.text = flx.Label(text="the value is 1")
            flx.Widget(flex=1)  # takes the rest of the page

    @flx.reaction("slider.value")
    def moved(self, *events):
        self.text.set_text(f"Python says: the value is {self.slider.value:g}")


if __name__ == "__main__":
    flx.create_server(host="127.0.0.1", port=int(sys.argv[1]))
    flx.App(Slide).serve("")  # at the root of its server
    flx.start()
