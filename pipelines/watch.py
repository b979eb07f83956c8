"""When intake runs by itself: schedules that ask the publishers, and a sensor on the inbox."""

from __future__ import annotations

import hashlib
from pathlib import Path

import dagster as dg

from assets.intake import DELIVERED, SNAPSHOTS, waiting
from assets.tables import OWNER
from sources.snapshots import INBOX

REFRESH, TAKE_IN = "refresh", "take_in"
# In the months before the report is due (15 July) a week is long, in others a month is soon enough.
MONTHLY, WEEKLY = "0 6 1 * *", "0 6 * 5-7 1"
TIME_ZONE = "Europe/Amsterdam"

refresh_job = dg.define_asset_job(
    REFRESH,
    selection=dg.AssetSelection.assets(SNAPSHOTS),
    description="Ask every publisher what changed, and fetch that.",
    owners=[OWNER],
)
take_in_job = dg.define_asset_job(
    TAKE_IN,
    selection=dg.AssetSelection.assets(DELIVERED),
    description="Take in the files in the inbox.",
    owners=[OWNER],
)

source_watch = dg.ScheduleDefinition(
    name="source_watch",
    job=refresh_job,
    cron_schedule=[MONTHLY, WEEKLY],
    execution_timezone=TIME_ZONE,
    description="Monthly, and every Monday from May to July: new, renamed and withdrawn tables, revisions, drift.",
)


def inbox_sensor(data_folder: str) -> dg.SensorDefinition:
    """A sensor that takes in files once they lie still in the inbox of this data root."""

    @dg.sensor(
        name="inbox",
        job=take_in_job,
        minimum_interval_seconds=60,
        description="Takes in files that are put into the inbox of the data root.",
    )
    def inbox(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not data_folder:
            return dg.SkipReason("There is no data root, and so no inbox.")
        files = waiting(Path(data_folder) / INBOX)
        if not files:
            return dg.SkipReason("Nothing waits in the inbox.")
        # With the moment of arrival: a refused file that is put back, unchanged, is taken in anew.
        seen = [(path.name, path.stat()) for path in files]
        state = hashlib.sha256(
            "\n".join(f"{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}" for name, stat in seen).encode()
        ).hexdigest()
        if context.cursor != state:
            # A file that is still being copied grows: only what is the same twice is whole.
            context.update_cursor(state)
            return dg.SkipReason("Files arrived; they are taken in once they lie still.")
        return dg.RunRequest(run_key=state)

    return inbox
