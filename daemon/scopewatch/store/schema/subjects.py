"""Subjects of alerts as columns of the database hold them."""

from scopewatch.core.alerts.observation import Subject


def subject_of(run: str, plate: str, well: str) -> Subject:
    """Return a subject from its columns."""
    return Subject(run=run, plate=plate or None, well=well or None)


def columns_of(subject: Subject) -> dict[str, str]:
    """Return the columns of a subject; '' is the whole run, or the whole plate."""
    return {
        "experiment": subject.run,
        "plate": subject.plate or "",
        "well": subject.well or "",
    }
