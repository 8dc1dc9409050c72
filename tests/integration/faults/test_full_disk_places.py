"""Every place that writes to a disk is known, with its fault test or the reason it needs none."""

from tests.integration.faults import (
    test_full_disk_logs,
    test_full_disk_messages,
    test_full_disk_pictures,
    test_full_disk_records,
    test_full_disk_starts,
    test_full_disk_time_lapses,
    test_full_disk_worker,
)
from tests.integration.written_places import places

TESTED = (
    test_full_disk_logs,
    test_full_disk_messages,
    test_full_disk_pictures,
    test_full_disk_records,
    test_full_disk_starts,
    test_full_disk_time_lapses,
    test_full_disk_worker,
)
CACHE = "what is fetched again; a file that cannot be is refused in one line"
IN_MEMORY = "a stream in memory"
ON_REQUEST = "asked for by a person, into a folder that is named there; it is refused in one line"
NO_WRITE = "writes nothing itself"
TEMPORARY = "half a megabyte at a start, which ends in the line of the model where it fails"
ELSEWHERE = "not on this disk; a place that refuses is waited for (test_copier.py)"
WAITS = "of the stage of copies, which repeats what failed (test_copier.py)"
# Places without a fault of their own, and why.
EXEMPT = {
    "app/copying/place.py CopiesPlace._in_place write": ELSEWHERE,
    "app/copying/place.py CopiesPlace.claim write": ELSEWHERE,
    "app/copying/place.py CopiesPlace.copy write": ELSEWHERE,
    "app/copying/place.py CopiesPlace.remove remove": ELSEWHERE,
    "app/copying/place.py CopiesPlace.try_out remove": ELSEWHERE,
    "app/copying/place.py CopiesPlace.try_out write": ELSEWHERE,
    "app/copying/queue.py CopyRemovals.catch_up write_unit": "test_store_picture_queue.py",
    "app/copying/queue.py PictureQueue.done write_unit": WAITS,
    "app/copying/queue.py PictureQueue.owner write_unit": WAITS,
    "app/copying/queue.py PictureQueue.put_last write_unit": WAITS,
    "app/copying/queue.py PictureQueue.queue_earlier write_unit": WAITS,
    "app/copying/queue.py end_copies write_unit": "at a start, as `record_liveness` there",
    "runtime/copying/copier.py PictureCopier._do copy": NO_WRITE,
    "runtime/copying/copier.py PictureCopier._do remove": NO_WRITE,
    "app/planning/drawing.py to_png save": IN_MEMORY,
    "app/planning/drawing.py write_picture write_bytes": ON_REQUEST,
    "app/kit.py _point_at_model write_text": ON_REQUEST,
    "app/kit.py lay_down copyfile": ON_REQUEST,
    "app/kit.py lay_down copytree": ON_REQUEST,
    "app/kit.py lay_down mkdir": ON_REQUEST,
    "app/oneshot/frame_scoring.py FrameScoring.draw write": ON_REQUEST,
    "app/oneshot/worker_scoring.py ScoringPlugin.score TemporaryDirectory": ON_REQUEST,
    "app/recording/drawing.py DatedOverlays.write write": NO_WRITE,
    "app/recording/stepping.py step_once save": "within the transaction of `Store`",
    "app/recording/store.py Store.second_try write_unit": "counts an attempt, as `claim` does",
    "app/run_states.py RunStates._as_set_now copy": NO_WRITE,
    "app/run_states.py RunStates.apart_from_daemon copy": NO_WRITE,
    "app/shared/places.py mark_place unlink": ON_REQUEST,
    "app/setup/configuration.py write_configuration mkdir": ON_REQUEST,
    "app/setup/configuration.py write_configuration write_text": ON_REQUEST,
    "core/imaging/planes/filters.py block_means copy": NO_WRITE,
    "inference/openvino_engine.py OpenVINOEngine.__init__ TemporaryDirectory": TEMPORARY,
    "inference/openvino_engine.py OpenVINOEngine.__init__ write_bytes": TEMPORARY,
    "inference/openvino_engine.py OpenVINOEngine.invoke copy": NO_WRITE,
    "inference/notices.py without_notices TemporaryFile": "some lines of text, once a frame size",
    "inference/notices.py without_notices write": "to standard error",
    "monitoring/run_facts.py WellSeen.moved.to move": NO_WRITE,
    "notify/pictures.py draw save": IN_MEMORY,
    "notify/written.py _write copyfile": ON_REQUEST,
    "notify/written.py _write mkdir": ON_REQUEST,
    "notify/written.py _write write_bytes": ON_REQUEST,
    "notify/written.py _write write_text": ON_REQUEST,
    "runtime/pipeline/frame_pipeline.py FramePipeline._commit write": NO_WRITE,
    "runtime/supervision/reload.py Reload.begin begin": NO_WRITE,
    "runtime/supervision/reload.py Reload.refused begin": NO_WRITE,
    "runtime/supervision/supervisor.py Supervisor._follow begin": NO_WRITE,
    "sources/micromanager/acts/extra.py ExtraImages._end remove": NO_WRITE,
    "sources/micromanager/acts/extra.py ExtraImages._take_site remove": NO_WRITE,
    "sources/micromanager/schedule/plan_kept.py KeptPlan.add begin": NO_WRITE,
    "sources/micromanager/schedule/plan_kept.py KeptPlan.leave_out begin": NO_WRITE,
    "sources/micromanager/steering.py Steering._next remove": NO_WRITE,
    "sources/omezarr/array/follower.py ArrayFollower.prove remove": NO_WRITE,
    "sources/readers/vendors/nd2_file.py read_pixels copy": IN_MEMORY,
    "sources/remote/mirror.py Mirror.__init__ mkdir": CACHE,
    "sources/remote/mirror.py Mirror._fetch copy": CACHE,
    "sources/remote/mirror.py Mirror._fetch mkdir": CACHE,
    "sources/remote/mirror.py Mirror._fetch replace": CACHE,
    "sources/remote/mirror.py Mirror._fetch utime": CACHE,
    "sources/remote/mirror.py Mirror._make_room unlink": CACHE,
    "sources/remote/mirror.py Mirror._fetch unlink": CACHE,
    "sources/remote/scratch.py make_scratch mkdtemp": CACHE,
    "sources/remote/scratch.py sweep rmtree": CACHE,
    "store/schema/engine.py has_results begin": NO_WRITE,
    "store/schema/engine.py list_daemons begin": NO_WRITE,
    "store/schema/engine.py open_reader begin": NO_WRITE,
    "store/schema/engine.py transaction begin": "every transaction of `Store`",
    "store/export/tables.py _opened open": ON_REQUEST,
    "store/export/tables.py export_csv writerow": ON_REQUEST,
    "store/schema/postgresql.py _adapt_texts._TextDumper.dump dump": NO_WRITE,
    "store/export/tables.py _write_list write": ON_REQUEST,
    "store/export/tables.py export_json write": ON_REQUEST,
    "store/archive/results.py ArchiveResults.keep begin": ON_REQUEST,
    "store/files/stain_tiff.py encode_stain imwrite": IN_MEMORY,
    "store/files/overlays.py OverlayFolder.write save": IN_MEMORY,
    "store/export/ome_zarr.py export_ome_zarr rename": ON_REQUEST,
    "store/export/ome_zarr.py export_ome_zarr rmtree": ON_REQUEST,
    "store/export/ome_zarr.py export_ome_zarr write_text": ON_REQUEST,
    "web/access/login.py enter begin": NO_WRITE,
    "web/overlay_images.py shrink_file save": IN_MEMORY,
}


def test_every_place_that_writes_meets_a_full_disk_in_a_test_or_says_why_not() -> None:
    tested: set[str] = set().union(*(module.COVERED for module in TESTED))
    known = tested | set(EXEMPT)
    assert sorted(places() - known) == [], "a new place that writes: test it with a full disk"
    assert sorted(known - places()) == [], "tested, but nothing is written there any more"
    assert sorted(tested & set(EXEMPT)) == []


def test_the_collector_sees_what_is_there() -> None:
    """Keep a collector that finds nothing from passing."""
    assert len(places()) >= 60
    assert {
        "files.py write_whole write_bytes",
        "app/recording/store.py Store.commit write_unit",
        "runtime/process/log_file.py RotatedLog RotatingFileHandler",
        "runtime/process/lock.py InstanceLock.__init__ open",
    } <= places()
