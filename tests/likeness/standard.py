# SPDX-License-Identifier: MIT
"""The standard set: every portrait with every voice, as a user would render it; the contact sheets."""
import dataclasses
import itertools

import bars
import material
import numpy as np
import pictures
import render
import report
import sheets

VOICE = "English man"         # whose frames the sheets show
README_PORTRAITS = ("02", "04", "08", "10")
BLINK_SECONDS = 8
CLOSURES_SHOWN = 6


def _jobs(run, model, name, numbers, said):
    """{(portrait, voice): Job}, idle motion on as it is by default."""
    voices = material.voices(run.data, run.sounds)
    if run.arguments.quick:
        voices = {VOICE: voices[VOICE]}
    if said:
        voices["espeak-ng"] = said[0][1]
    voices["silence"] = material.write_wav(run.sounds / "silence.wav",
                                           np.zeros(BLINK_SECONDS * material.RATE))
    return {(number, voice): render.Job(f"set-{name}-{number}-{voice.replace(' ', '-')}",
                                        material.portrait(run.data, number), wav, model, True)
            for number, (voice, wav) in itertools.product(numbers, voices.items())}


def _closure_numbers(said):
    """Frames of espeak-ng's first sentence, spread over it, in which the lips must be shut."""
    _, _, _, moments = said[0]
    chosen = [moments[i] for i in np.linspace(0, len(moments) - 1, CLOSURES_SHOWN).astype(int)]
    return [round((begin + end) / 2 * 25) for _, begin, end in chosen], [sound for sound, *_ in chosen]


def _show_mouth(run, number, job, curves):
    """Heads, mouths and the edges of the widest one."""
    numbers = sheets.opening_frames(curves)
    frames = render.read_frames(job.output(run.videos), numbers)
    run.report.picture(sheets.heads(frames, numbers, curves),
                       f"Portrait {number}, {VOICE}: from shut to widest")
    texts = [f"{curves.opening[n]:.3f} at {n / 25:.2f} s" for n in numbers]
    run.report.picture(sheets.mouths(frames, numbers, curves, texts),
                       f"Portrait {number}: the same mouths at full size, measured opening")
    widest = numbers[-1]
    still = render.read_frames(job.output(run.videos), [0])[0]
    box = sheets.edge_box(curves.at(widest))
    run.report.picture(sheets.row([sheets.full_size(still, box),
                                   sheets.full_size(frames[widest], box)]),
                       f"Portrait {number}: edges of what moves, first frame and widest opening")
    return sheets.heads(frames, numbers, curves, side=160)


def _show_closures(run, number, job, curves, said):
    numbers, sounds = _closure_numbers(said)
    frames = render.read_frames(job.output(run.videos), numbers)
    run.report.picture(sheets.mouths(frames, numbers, curves, sounds),
                       f"Portrait {number}, espeak-ng: frames in which the lips must be shut")


def _blinks(run, number, job, curves):
    blinks = pictures.blink_frames(render.all_frames(job.output(run.videos)), curves.at(0),
                                   BLINK_SECONDS // 2)
    if blinks:
        around = [n + d for n in blinks[:2] for d in (-3, -1, 0, 2)]
        around = [n for n in around if 0 <= n < len(curves.points)]
        frames = render.read_frames(job.output(run.videos), around)
        box = pictures.eye_box(curves.at(0))
        run.report.picture(sheets.row([sheets.labelled(sheets.full_size(frames[n], box), f"frame {n}")
                                       for n in around]), f"Portrait {number}: blinks, round the shut frame")
    run.add([bars.blink_row(number, curves, len(blinks))])


def run_standard(run, model, name, said):
    run.report.heading(f"Standard set, {name}")
    numbers = run.chosen(material.PORTRAITS)
    jobs = _jobs(run, model, name, numbers, said)
    seen = dict(zip(jobs, run.render_and_judge(list(jobs.values()))))
    reference = material.unseen_clips(run.data)[0].path
    real = run.real([reference])[0]
    real_inside = pictures.mouth_inside(render.all_frames(reference), real.points, real.height)
    run.add(bars.found_rows(seen))
    heads = {}
    for number in numbers:
        job, curves = jobs[number, VOICE], seen[number, VOICE]
        heads[number] = _show_mouth(run, number, job, curves)
        if said:
            _show_closures(run, number, jobs[number, "espeak-ng"], seen[number, "espeak-ng"], said)
        _blinks(run, number, jobs[number, "silence"], seen[number, "silence"])
        inside = pictures.mouth_inside(render.all_frames(job.output(run.videos)), curves.points,
                                       curves.height)
        box = pictures.face_box(curves.points, 2.0)
        still, moving = (pictures.far_change(render.raw_frames(run.environment, shown), box)
                         for shown in (dataclasses.replace(job, idle=False), job))
        run.add([bars.inside_row(number, inside, real_inside), bars.far_row(number, still, moving)])
    if run.arguments.readme_picture:
        shown = [heads[n] for n in README_PORTRAITS if n in heads] or list(heads.values())
        report.write_small(sheets.column(shown), run.arguments.readme_picture)
