"""When intake runs by itself: schedules that ask the publishers, and a sensor on the inbox."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets.intake import DELIVERED, SNAPSHOTS, waiting
from assets.tables import OWNER
from sources.snapshots import INBOX

if TYPE_CHECKING:
    # What define_asset_job returns has no public name.
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

REFRESH, TAKE_IN, REFRESH_AND_MEASURE = "refresh", "take_in", "refresh_and_measure"
# In the months before the report is due (15 July) a week is long, in others a month is soon enough.
MONTHLY, WEEKLY = "0 6 1 * *", "0 6 * 5-7 1"
# Six weeks before the report is due: by then the tables of spring are out, and there is time to explain what was
# revised, to report mistakes to a publisher and have an answer, and to sign. What comes later, the weekly watch tells.
YEARLY = "0 7 1 6 *"
TIME_ZONE = "Europe/Amsterdam"


def refresh_job(tags: Mapping[str, str]) -> Job:
    """The job that asks every publisher."""
    return dg.define_asset_job(
        REFRESH,
        selection=dg.AssetSelection.assets(SNAPSHOTS),
        description="Ask every publisher what changed, and fetch that.",
        tags=tags,
        owners=[OWNER],
    )


def take_in_job(tags: Mapping[str, str]) -> Job:
    """The job that empties the inbox."""
    return dg.define_asset_job(
        TAKE_IN,
        selection=dg.AssetSelection.assets(DELIVERED),
        description="Take in the files in the inbox.",
        tags=tags,
        owners=[OWNER],
    )


source_watch = dg.ScheduleDefinition(
    name="source_watch",
    job_name=REFRESH,
    cron_schedule=[MONTHLY, WEEKLY],
    execution_timezone=TIME_ZONE,
    description="Monthly, and every Monday from May to July: new, renamed and withdrawn tables, revisions, drift.",
)


def yearly_measurement(
    measurement: dg.AssetSelection, years: Sequence[int], tags: Mapping[str, str]
) -> dg.ScheduleDefinition:
    """The yearly refresh: a job that asks every publisher and then measures all `years`. Off until switched on.

    `measurement` is what the job `measure` makes. A publisher that does not answer stops nothing: its last good
    snapshot is measured. What comes of it is a draft; publishing stays with a person.
    """
    refresh_and_measure = dg.define_asset_job(
        REFRESH_AND_MEASURE,
        selection=dg.AssetSelection.assets(SNAPSHOTS) | measurement,
        description="Ask every publisher what changed, fetch that, and measure: a new draft edition.",
        tags=tags,
        owners=[OWNER],
    )

    @dg.schedule(
        name="yearly_measurement",
        job=refresh_and_measure,
        cron_schedule=YEARLY,
        execution_timezone=TIME_ZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="On 1 June, six weeks before the report is due: fetch, then measure. Publishes nothing.",
    )
    def all_years() -> dg.RunRequest:
        # As `btg measure` does it: all years in one run.
        first, last = str(years[0]), str(years[-1])
        return dg.RunRequest(
            tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        )

    return all_years


def inbox_sensor(data_folder: str) -> dg.SensorDefinition:
    """A sensor that takes in files once they lie still in the inbox of this data root."""

    @dg.sensor(
        name="inbox",
        job_name=TAKE_IN,
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
