from ctxchat.domain.cancel import Cancel


def test_callbacks_are_called_at_the_request_and_only_while_registered() -> None:
    cancel, calls = Cancel(), []
    with cancel.calling(lambda: calls.append("inner")):
        pass
    with cancel.calling(lambda: calls.append("outer")):
        cancel.request()
    assert cancel.requested
    assert calls == ["outer"]


def test_a_callback_registered_after_the_request_is_called_at_once() -> None:
    cancel, calls = Cancel(), []
    cancel.request()
    with cancel.calling(lambda: calls.append("late")):
        assert calls == ["late"]
