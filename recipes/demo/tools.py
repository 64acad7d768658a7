"""Programs that the recipe calls."""

import subprocess


def run(command: list[str], **options) -> str:
    """What the program prints; its last complaint where it fails."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout
    except FileNotFoundError:
        raise SystemExit(
            f"the program {command[0]} is missing: apt-get install it (README, Run)"
        ) from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or f"status {error.returncode}").splitlines()[-1]
        raise SystemExit(f"{' '.join(command[:4])} ... failed: {said}") from None
