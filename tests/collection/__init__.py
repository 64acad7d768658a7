"""Voice files as they are found: one small file per kind and oddity, built when asked for.

`VOICES` are read and convert, `OTHERS` are named in one line. Layouts are written here from the
programs' documentation and code, not by this project's writers.
"""

from . import applio_fork, hugging_face, mlx_programs, oddities, others, own, rvc

VOICES = [
    *rvc.CASES,
    *applio_fork.CASES,
    *oddities.CASES,
    *hugging_face.CASES,
    *mlx_programs.CASES,
    *own.CASES,
]
OTHERS = others.CASES
