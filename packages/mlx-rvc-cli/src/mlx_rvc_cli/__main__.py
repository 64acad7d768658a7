"""`python -m mlx_rvc_cli` is the command `mlx-rvc`."""

import sys

from mlx_rvc_cli.host import main

sys.exit(main())
