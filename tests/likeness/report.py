# SPDX-License-Identifier: MIT
"""The report: one HTML file with everything in it, and the picture for the README."""
import base64
import html
import io
import time

import cv2
import numpy as np
from judging import GRID_S

STYLE = """body{font:14px/1.45 sans-serif;margin:24px auto;max-width:1500px;padding:0 16px;color:#222}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:3px 8px;text-align:left}
.pass{color:#176b2c}.MISS{color:#b3261e;font-weight:bold}img{max-width:100%;display:block;margin:4px 0}
h2{margin-top:36px}figure{margin:12px 0}figcaption{color:#555}svg{background:#fafafa}"""


class Report:
    """Collected part by part; `write` puts it into a file."""

    def __init__(self, title):
        self.title, self.parts = title, []

    def heading(self, text):
        self.parts.append(f"<h2>{html.escape(text)}</h2>")

    def text(self, text):
        self.parts.append(f"<p>{html.escape(text)}</p>")

    def table(self, rows):
        lines = "".join(
            f"<tr><td>{html.escape(r.what)}</td><td>{html.escape(r.measured)}</td>"
            f"<td>{html.escape(r.wanted)}</td><td class='{r.verdict}'>{r.verdict}</td></tr>" for r in rows)
        self.parts.append("<table><tr><th>what</th><th>measured</th><th>wanted</th><th></th></tr>"
                          f"{lines}</table>")

    def picture(self, picture, caption):
        ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
        assert ok
        coded = base64.b64encode(data).decode()
        self.parts.append(f"<figure><img src='data:image/jpeg;base64,{coded}'>"
                          f"<figcaption>{html.escape(caption)}</figcaption></figure>")

    def curves(self, made, real, caption):
        """Opening and width, made (red) and real (grey), over time."""
        drawn = _plot(made.opening, real.opening) + _plot(made.width, real.width)
        self.parts.append(f"<figure>{drawn}<figcaption>{html.escape(caption)}</figcaption></figure>")

    def write(self, path):
        path.write_text(f"<!doctype html><meta charset='utf-8'><title>{html.escape(self.title)}</title>"
                        f"<style>{STYLE}</style><h1>{html.escape(self.title)}</h1>"
                        f"<p>{time.strftime('%Y-%m-%d %H:%M')}</p>{''.join(self.parts)}",
                        encoding="utf-8")


def _plot(made, real, width=700, height=110):
    low = min(made.min(), real.min())
    span = max(made.max(), real.max()) - low or 1

    def line(values, colour):
        x = np.arange(len(values)) * width / max(len(made), len(real), 2)
        y = height - 4 - (height - 8) * (values - low) / span
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
        return f"<polyline fill='none' stroke='{colour}' stroke-width='1.6' points='{points}'/>"

    return (f"<svg width='{width}' height='{height}'>{line(real, '#999')}{line(made, '#c0392b')}"
            f"<text x='4' y='12' font-size='10'>{low + span:.3f}</text>"
            f"<text x='4' y='{height - 2}' font-size='10'>{low:.3f}, "
            f"{GRID_S * len(made):.1f} s</text></svg> ")


def write_small(picture, path, most_bytes=300_000):
    """A PNG (of 256 colours) or JPEG of at most so many bytes, made smaller until it fits."""
    from PIL import Image  # pylint: disable=import-outside-toplevel
    image = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    while True:
        out = io.BytesIO()
        if path.suffix == ".png":
            image.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
        else:
            image.save(out, "JPEG", quality=88)
        if out.tell() <= most_bytes:
            break
        image = image.resize((image.width * 9 // 10, image.height * 9 // 10), Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out.getvalue())
