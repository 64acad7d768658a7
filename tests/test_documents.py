"""What the documents promise exists."""

import re
from pathlib import Path

import broken_audio

ROOT = Path(__file__).parents[1]


def rows(text):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and not re.fullmatch(r"[|\- ]+", line)
    ]


def test_every_feature_has_a_cell_of_ours_and_a_test():
    table = [row for row in rows((ROOT / "docs/features.md").read_text()) if row[0]]
    assert len(table) > 40
    for feature, ours, *_, tested in table:
        assert ours.startswith("✓"), feature
        (path,) = re.findall(r"`([^`]+\.py)`", tested)
        assert (ROOT / path).is_file(), path


def test_the_counts_of_broken_audio_are_those_of_the_tests():
    text = (ROOT / "docs/reliability.md").read_text()
    for row in broken_audio.rows():
        assert row in text.splitlines()
    for path in re.findall(r"`([^`]+/test_\w+\.py)`", text):
        assert (ROOT / path).is_file(), path


def test_links_between_documents_lead_somewhere():
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/*.md")]
    documents += [*ROOT.glob("benchmarks/*.md"), *ROOT.glob("examples/*.md")]
    documents += ROOT.glob("recipes/*/*.md")
    for document in documents:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document}: {target}"
