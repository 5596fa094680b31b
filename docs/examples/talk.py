#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A talking face from your own program: a portrait speaks a sound file, in a window or into an MP4 file.

    talk.py PORTRAIT SPEECH [OUTPUT.mp4] [--model PACK]

Needs Debian's python3-gi, gir1.2-gstreamer-1.0 and talkface's plugin on GStreamer's path. Ctrl-C ends it;
a file is completed then. The exit status is 0 when all went well.
"""
import argparse
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

TO_WINDOW = """
    face.video_src ! queue ! videoconvert ! autovideosink
    face.audio_src ! queue ! audioconvert ! audioresample ! autoaudiosink
"""
TO_FILE = """
    face.video_src ! queue ! videoconvert ! x264enc tune=zerolatency ! queue ! mux.
    face.audio_src ! queue ! audioconvert ! avenc_aac ! queue ! mux.
    mp4mux name=mux ! filesink name=file
"""


class Talk:
    """One pipeline and the loop that runs it."""

    def __init__(self, portrait, speech, output=None, model=None):
        self.loop = GLib.MainLoop()
        self.failed = False
        # Paths are set as properties: in the text of a pipeline a space or a quote would need escapes.
        self.pipeline = Gst.parse_launch(
            "filesrc name=speech ! decodebin ! audioconvert ! talkfacegenbin name=face " +
            (TO_FILE if output else TO_WINDOW))
        self.pipeline.get_by_name("speech").set_property("location", speech)
        self.face = self.pipeline.get_by_name("face")
        self.face.set_property("identity-image", portrait)
        if model:
            self.face.set_property("model", model)
        if output:
            self.pipeline.get_by_name("file").set_property("location", output)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.type == Gst.MessageType.ERROR and not self.failed:  # the first one is the cause
            error, detail = message.parse_error()
            print(f"{message.src.get_name()}: {error.message}", file=sys.stderr)
            if detail:
                print(detail, file=sys.stderr)  # for developers: file, line, what exactly failed
            self.failed = True
            self.loop.quit()
        elif message.type == Gst.MessageType.WARNING:
            warning, _detail = message.parse_warning()
            print(f"{message.src.get_name()}: {warning.message}", file=sys.stderr)
        elif message.type == Gst.MessageType.PROGRESS:
            _kind, _code, text = message.parse_progress()
            print(text)
        elif message.type == Gst.MessageType.LATENCY:
            self.pipeline.recalculate_latency()  # talkfacegen says when its latency changed

    def interrupt(self):
        """Ctrl-C: end of stream, so that the muxer completes the file. Pressed again it ends Python as usual."""
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    def run(self):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGINT, self.interrupt)
        try:
            # A failure is told on the bus as well, where the loop finds it.
            self.pipeline.set_state(Gst.State.PLAYING)
            self.loop.run()
            stats = self.face.get_by_name("generator").get_property("stats")
            print(f"{stats.get_value('rendered')} frames")
        finally:
            self.pipeline.set_state(Gst.State.NULL)
        return not self.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("portrait")
    parser.add_argument("speech")
    parser.add_argument("output", nargs="?", help="an MP4 file; without it the face speaks in a window")
    parser.add_argument("--model", help="a model pack: a name or a folder")
    arguments = parser.parse_args()
    Gst.init(None)
    try:
        talk = Talk(arguments.portrait, arguments.speech, arguments.output, arguments.model)
    except GLib.Error as error:  # an element is missing: its plugin is not installed
        print(f"cannot build the pipeline: {error.message}", file=sys.stderr)
        return 1
    return 0 if talk.run() else 1


if __name__ == "__main__":
    sys.exit(main())
