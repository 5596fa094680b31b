# SPDX-License-Identifier: MIT
"""The bars: what is wanted, and the table of what was measured against it."""
from dataclasses import dataclass

import numpy as np

R_OPEN, R_WIDTH = 0.76, 0.55                # clips never trained on, of a speaker trained on
R_OPEN_UNSEEN, R_WIDTH_UNSEEN = 0.62, 0.30  # speakers never trained on
GAIN = (0.5, 1.6)
LAG_MS = 40
CLOSED_SHARE = 0.9
MET_SHARE = 0.5          # of the closures, in a video of 25 frames a second
REST_SPREAD = 0.01
REST_LEVEL = 0.01        # from the same face in silence: a mouth that stays open is not at rest
IDLE_REST_EXTRA = 0.005  # with idle motion, beyond the same face in silence
INSIDE_CHANGE = 2.0      # levels of 255


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    wanted: str
    passed: bool | None  # None: reported, no bar

    @property
    def verdict(self):
        return {True: "pass", False: "MISS", None: "-"}[self.passed]


def _mean_and_worst(what, values, least):
    mean = float(np.mean(values))
    return Row(what, f"mean {mean:.3f}, worst {min(values):.3f}", f"mean >= {least}", mean >= least)


def sync_rows(title, portrait, results, least_open, least_width):
    """`results`: a Sync per clip; `least_width` None: width has no bar here."""
    head = f"{title}, portrait {portrait}, {len(results)} clips: "
    gains = [s.gain_open for s in results]
    lags = [s.lag_ms for s in results]
    gain = float(np.mean(gains))
    rows = [_mean_and_worst(head + "r_open", [s.r_open for s in results], least_open)]
    width = [s.r_width for s in results]
    if least_width is None:
        rows.append(Row(head + "r_width", f"mean {np.mean(width):.3f}, worst {min(width):.3f}",
                        "reported", None))
    else:
        rows.append(_mean_and_worst(head + "r_width", width, least_width))
    rows.append(Row(head + "gain_open", f"mean {gain:.2f}, {min(gains):.2f} to {max(gains):.2f}",
                    f"mean {GAIN[0]} to {GAIN[1]}", GAIN[0] <= gain <= GAIN[1]))
    late = [lag for lag in lags if abs(lag) > LAG_MS]
    rows.append(Row(head + "lag", f"{min(lags)} to {max(lags)} ms, {len(late)} beyond",
                    f"each within {LAG_MS} ms", not late))
    return rows


def closure_rows(title, closures, closed, met):
    """`closed`, `met`: shares of the closures that come near and whose lips meet in a frame."""
    median = float(np.median([c.opening for c in closures]))
    return [Row(f"lips close at p, b, m: {title}, {len(closures)} closures",
               f"{100 * closed:.0f} %, median opening {median:.2f} of p95",
               f">= {100 * CLOSED_SHARE:.0f} %", closed >= CLOSED_SHARE),
           Row(f"lips meet in a frame of p, b, m: {title}", f"{100 * met:.0f} %",
               f">= {100 * MET_SHARE:.0f} %", met >= MET_SHARE)]


def rest_rows(portrait, still, moving):
    """`still`, `moving` (idle motion off and on): name of the sound to Rest; both have "silence"."""
    rows = []
    for sound, rest in still.items():
        rows.append(Row(f"rest, portrait {portrait}, {sound}: opening's range", f"{rest.spread:.4f}",
                        f"< {REST_SPREAD}", rest.spread < REST_SPREAD))
    for sound, rest in still.items():
        if sound != "silence":
            away = abs(rest.level - still["silence"].level)
            rows.append(Row(f"rest, portrait {portrait}, {sound}: opening beyond silence's",
                            f"{away:.4f}", f"< {REST_LEVEL}", away < REST_LEVEL))
    for sound, rest in moving.items():
        if sound != "silence":
            extra = rest.spread - moving["silence"].spread
            rows.append(Row(f"rest, portrait {portrait}, {sound}, idle motion: range beyond silence's",
                            f"{extra:+.4f}", f"<= {IDLE_REST_EXTRA}", extra <= IDLE_REST_EXTRA))
    return rows


def found_rows(seen):
    """`seen`: {(portrait, voice): Curves} of the standard set."""
    rows = []
    for number in dict.fromkeys(number for number, _ in seen):
        mine = {voice: curves for (of, voice), curves in seen.items() if of == number}
        missing = sum(int(np.isnan(c.points[:, 0, 0]).sum()) for c in mine.values())
        spread = ", ".join(f"{voice} {np.percentile(c.opening, 95):.3f}" for voice, c in mine.items())
        sure = all(c.sure for c in mine.values())
        rows.append(Row(f"standard set, portrait {number}",
                        ("" if sure else "face seen at a lower threshold only; ") +
                        f"no face in {missing} frames; 95th percentile of the opening: {spread}",
                        "a face in every frame", missing == 0 if sure else None))
    return rows


def inside_row(portrait, inside, real):
    return Row(f"inside of the mouth, portrait {portrait}: change over speech",
               f"{inside.change:.1f} levels, texture {inside.texture:.1f}, {inside.frames} frames "
               f"(real clip {real.change:.1f}, {real.texture:.1f})",
               f"change >= {INSIDE_CHANGE}", inside.change >= INSIDE_CHANGE)


def far_row(portrait, still, moving):
    """Largest change without and with idle motion, which may take neck and shoulders along a little."""
    return Row(f"pixels outside twice the face box, portrait {portrait}",
               f"largest change {still} levels (with idle motion {moving})", "0", still == 0)


def blink_row(portrait, curves, count):
    return Row(f"blinks, portrait {portrait}", f"{count} seen in {0.04 * len(curves.eye):.0f} s, lids "
               f"{curves.eye.min() / np.median(curves.eye):.2f} of open", ">= 1 seen", count >= 1)


def table(rows):
    """Markdown."""
    lines = ["| what | measured | wanted | |", "|---|---|---|---|"]
    lines += [f"| {r.what} | {r.measured} | {r.wanted} | {r.verdict} |" for r in rows]
    barred = [r for r in rows if r.passed is not None]
    missed = sum(not r.passed for r in barred)
    return "\n".join(lines) + f"\n\n{len(barred) - missed} of {len(barred)} bars pass.\n"
