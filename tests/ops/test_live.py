"""Live, in small: a fault switched on in the emulator fires the error alert, and it resolves after."""

from pathlib import Path

from harness.store import open_store
from tests.ops.live import live_scene, log_requests


def test_a_fault_fires_the_error_alert_and_it_resolves_after(tmp_path: Path) -> None:
    with live_scene(tmp_path, window="6s") as scene:
        scene.set_faults("content_filter")
        fired_s = scene.ask_until("firing", 60)
        scene.set_faults()
        scene.ask_until("resolved", 60)
        assert scene.history() == ["firing", "resolved"]
        assert scene.follower.stop() == 0
        assert scene.watcher.stop() == 0
    assert fired_s < 60
    with open_store(scene.store).snapshot() as view:
        kept = [request_id for (request_id,) in view.rows("SELECT request_id FROM requests")]
    assert sorted(kept) == sorted(log_requests(tmp_path))
    assert len(kept) == scene.sent
