# SPDX-License-Identifier: MIT
"""All parts in their order: what is rendered, what of it is measured, what the report shows."""
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import bars
import closures
import judging
import material
import pictures
import render
from environment import MORE, Missing
from report import Report
from standard import run_standard

QUICK_CLIPS = 4
QUICK_PORTRAITS = ("02", "08")


@dataclass
class Run:
    """What the parts share."""
    environment: object
    arguments: object
    made: object  # judge of new videos: paths to Curves
    real: object  # judge of real clips, cached
    report: Report
    rows: list

    @property
    def data(self):
        return self.environment.data

    @property
    def videos(self):
        return self.arguments.output / "videos"

    @property
    def sounds(self):
        return self.arguments.output / "sounds"

    def chosen(self, portraits):
        """Those of the portraits that this run is to use."""
        if self.arguments.portraits:
            return [p for p in portraits if p in self.arguments.portraits.split(",")]
        return [p for p in portraits if p in QUICK_PORTRAITS or not self.arguments.quick]

    def clips(self):
        clips = material.unseen_clips(self.data)
        wanted = self.arguments.clips or (QUICK_CLIPS if self.arguments.quick else len(clips))
        return clips[:wanted]

    def render_and_judge(self, jobs):
        render.render(self.environment, self.videos, jobs)
        return self.made([job.output(self.videos) for job in jobs])

    def add(self, rows):
        """Rows of the table, told at once."""
        for row in rows:
            print(f"  {row.verdict:4}  {row.what}: {row.measured} ({row.wanted})", file=sys.stderr)
        self.rows += rows


def label(model):
    """A pack's name for file names and titles: fold packs are all called auwarp, in folders."""
    return Path(model).name if "/" not in model else "-".join(Path(model).parts[-2:]).strip("/")


def _real_curves(run, clips):
    """What the judge sees in real clips, their pictures moved to their sound."""
    seen = []
    for clip, curves in zip(clips, run.real([clip.path for clip in clips])):
        delay = judging.picture_delay_s(curves, material.decode(clip.path), material.RATE)
        if delay:
            run.add([bars.Row(f"clip {clip.name}: picture against its own sound", f"{delay:+.2f} s",
                              "moved by that", None)])
        seen.append(judging.moved(curves, delay))
    return seen


def _show_curves(run, title, clips, results, made, real):
    """The best and the worst clip."""
    order = sorted(range(len(clips)), key=lambda i: results[i].r_open)
    for i in dict.fromkeys((order[-1], order[0])):
        s = results[i]
        run.report.curves(made[i], real[i], f"{title}, {clips[i].name}: opening {s.r_open:.2f}, width "
                          f"{s.r_width:.2f}, gain {s.gain_open:.2f}, lag {s.lag_ms} ms")


def measure_sync(run, title, model, clips, least):
    """`least`: bars of r_open and r_width."""
    run.report.heading(f"Lip sync, {title}")
    real = _real_curves(run, clips)
    for number in run.chosen(material.SYNC_PORTRAITS):
        image = material.portrait(run.data, number)
        made = run.render_and_judge([
            render.Job(f"sync-{label(model)}-{number}-{clip.name}", image,
                       material.sound_of(clip, run.sounds), model) for clip in clips])
        results = [judging.sync(a, b) for a, b in zip(made, real)]
        width = least[1] if number in material.CLOSED_PORTRAITS else None
        run.add(bars.sync_rows(title, number, results, least[0], width))
        _show_curves(run, f"portrait {number}", clips, results, made, real)


def measure_unseen(run):
    """Speakers that the given packs were not trained on, all together."""
    packs = [unseen.partition("=")[::2] for unseen in run.arguments.unseen_model]
    if not packs:
        run.add([bars.Row("lip sync, speakers never trained on", "skipped: no --unseen-model",
                          f"r_open >= {bars.R_OPEN_UNSEEN}, r_width >= {bars.R_WIDTH_UNSEEN}", None)])
        return
    pairs = [(clip, pack) for speaker, pack in packs
             for clip in material.speaker_clips(run.data, speaker)]
    run.report.heading("Lip sync, speakers never trained on")
    real = _real_curves(run, [clip for clip, _ in pairs])
    for number in run.chosen(material.SYNC_PORTRAITS):
        image = material.portrait(run.data, number)
        made = run.render_and_judge([
            render.Job(f"unseen-{number}-{clip.name}", image, material.sound_of(clip, run.sounds), pack)
            for clip, pack in pairs])
        results = [judging.sync(a, b) for a, b in zip(made, real)]
        width = bars.R_WIDTH_UNSEEN if number in material.CLOSED_PORTRAITS else None
        run.add(bars.sync_rows("speakers never trained on", number, results, bars.R_OPEN_UNSEEN, width))
        _show_curves(run, f"portrait {number}", [c for c, _ in pairs], results, made, real)


def measure_closures(run, model, said):
    by_source = {"GRID words": closures.of_align(run.environment, model, run.data,
                                                 material.unseen_clips(run.data)),
                 "espeak-ng": closures.of_espeak(run.environment, model, said)}
    for source, found in by_source.items():
        if found:
            run.add(bars.closure_rows(f"{label(model)}, {source}", found,
                                      closures.share_closed(found), closures.share_met(found)))
        else:
            run.add([bars.Row(f"lips close at p, b, m: {source}", "skipped: espeak-ng is not installed",
                              f">= {100 * bars.CLOSED_SHARE:.0f} %", None)])


def measure_rest(run, model):
    sounds = material.rest_sounds(run.data, run.sounds)
    for number in run.chosen(material.SYNC_PORTRAITS):
        image = material.portrait(run.data, number)
        cases = [(name, idle) for idle in (False, True) for name in sounds]
        seen = run.render_and_judge([
            render.Job(f"rest-{label(model)}-{number}-{name.replace(' ', '-')}-{'idle' if idle else 'still'}",
                       image, sounds[name][0], model, idle) for name, idle in cases])
        rests = {case: pictures.rest(curves, sounds[case[0]][1]) for case, curves in zip(cases, seen)}
        run.add(bars.rest_rows(number, {name: rests[name, False] for name in sounds},
                               {name: rests[name, True] for name in sounds}))


def _tell_of_clips(run):
    names, there = material.unseen_names(), {clip.name for clip in material.unseen_clips(run.data)}
    if absent := [name for name in names if name not in there]:
        run.add([bars.Row("GRID speaker 1's clips never trained on",
                          f"{len(there)} of {len(names)}; left out: {', '.join(absent)}",
                          f"{MORE} may name a folder that has them", None)])


def _measure(run):
    parts = run.arguments.only or ["sync", "closures", "rest", "standard"]
    if "sync" in parts or "closures" in parts:
        _tell_of_clips(run)
    said = closures.spoken(run.sounds)
    for model in run.arguments.model:
        if "sync" in parts:
            measure_sync(run, f"{label(model)}, GRID speaker 1", model, run.clips(),
                         (bars.R_OPEN, bars.R_WIDTH))
        if "closures" in parts:
            measure_closures(run, model, said)
        if "rest" in parts:
            measure_rest(run, model)
        if "standard" in parts:
            run_standard(run, model, label(model), said)
    if "sync" in parts:
        measure_unseen(run)


def run_suite(environment, arguments):
    """Everything; returns the table as text. Throws Missing."""
    start = time.monotonic()
    if arguments.portraits:
        unknown = set(arguments.portraits.split(",")) - set(material.PORTRAITS)
        if unknown:
            raise Missing(f"--portraits: {', '.join(sorted(unknown))} is not of the standard set "
                          f"({', '.join(material.PORTRAITS)})")
    arguments.output.mkdir(parents=True, exist_ok=True)
    shown = Report("Likeness: " + ", ".join(label(model) for model in arguments.model))
    with judging.open_judge() as (made, real):
        run = Run(environment, arguments, made, real, shown, [])
        _measure(run)
    whole = Report(shown.title)
    whole.text(f"Took {time.monotonic() - start:.0f} s.")
    whole.table(run.rows)
    whole.parts += shown.parts
    whole.write(arguments.output / "report.html")
    return bars.table(run.rows) + f"Took {time.monotonic() - start:.0f} s.\n"
