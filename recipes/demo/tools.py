"""Programs that the recipe calls."""

import subprocess


def run(command: list[str], **options) -> str:
    """What the program prints; its complaint where it fails."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout
    except FileNotFoundError:
        raise SystemExit(
            f"the program {command[0]} is missing: apt-get install it (README, Run)"
        ) from None
    except subprocess.CalledProcessError as error:
        lines = (error.stderr.strip() or f"status {error.returncode}").splitlines()
        said = [line for line in lines if line.startswith("fatal: ")] or lines[-1:]  # git explains
        raise SystemExit(f"{' '.join(command[:4])} ... failed: {said[0]}") from None
