"""One pipeline, several threads: the same sound as one after the other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np


def test_eight_threads_give_what_one_gives(demo, clip):
    audio = clip("librivox_austen_0930", 1.2)[:, 0]
    wanted = [
        {"speaker": 0, "seed": 1},
        {"speaker": 1, "seed": 2, "pitch": 12},
        {"speaker": 1, "seed": 3, "f0_method": "dio", "formant": 2},
        {"speaker": 0, "seed": 4, "output_rate": 22050},
    ]
    alone = [demo.convert_array(audio, 16000, **options)[0] for options in wanted]
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(demo.convert_array, audio, 16000, **options) for options in wanted * 2]
        together = [one.result()[0] for one in work]
    for one, other in zip(alone * 2, together, strict=True):
        np.testing.assert_array_equal(one, other)
