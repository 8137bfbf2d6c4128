"""What an HTTP/2 server must do next: the steps of the cases in h2spec_*.py, which send bytes in between.

As in h2spec, a closed connection satisfies every expectation of an error; connection_errors.py wants the reason.
"""

from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from hostile_frames import Raw

PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED = 1, 3, 5
FRAME_SIZE_ERROR, REFUSED_STREAM, COMPRESSION_ERROR = 6, 7, 9


class Unexpected(AssertionError):
    """The server did something else, or nothing for the time that a case has."""


class Peer(Raw):
    """A client after both SETTINGS frames have been acknowledged."""

    def __init__(self, target, patience):
        super().__init__(target)
        self.socket.settimeout(patience)
        self.acknowledges_pings = False
        self.seen = []
        self.max_frame_size = self.settings.get(SettingsFrame.MAX_FRAME_SIZE, 2**14)
        self.max_streams = self.settings[SettingsFrame.MAX_CONCURRENT_STREAMS]
        acknowledges_settings(self)

    def next_frames(self):
        """The frames from the server; raises if none comes in time."""
        try:
            for frame in self.frames():
                self.seen.append(frame)
                yield frame
        except TimeoutError:
            raise Unexpected(f"after {self.seen[-3:]} comes nothing") from None

    def first_of(self, kind, accepts=lambda frame: True):
        """The first frame of this kind must be as `accepts` says."""
        for frame in self.next_frames():
            if isinstance(frame, kind):
                if not accepts(frame):
                    raise Unexpected(frame)
                return frame
        raise Unexpected(f"the connection is closed instead of {kind.__name__}")

    def error(self, kinds, codes):
        """Waits for a frame of these kinds with one of these error codes, or for the end of the connection."""
        for frame in self.next_frames():
            if isinstance(frame, kinds) and frame.error_code in codes:
                return


def connection_error(*codes):
    return lambda peer: peer.error(GoAwayFrame, codes)


def stream_error(*codes):
    return lambda peer: peer.error((GoAwayFrame, RstStreamFrame), codes)


def closes(peer):
    peer.error((), ())


def goaway(code):
    return lambda peer: peer.first_of(GoAwayFrame, lambda frame: frame.error_code == code)


def rst_stream(code):
    return lambda peer: peer.first_of(RstStreamFrame, lambda frame: frame.error_code == code)


def responds(peer):
    peer.first_of(HeadersFrame, lambda frame: frame.stream_id == 1)


def ends_stream(peer):
    peer.first_of((HeadersFrame, DataFrame, RstStreamFrame), lambda frame: True)
    while not ({"END_STREAM"} & set(peer.seen[-1].flags) or isinstance(peer.seen[-1], RstStreamFrame)):
        peer.first_of((HeadersFrame, DataFrame, RstStreamFrame))


def data(length=None):
    return lambda peer: peer.first_of(DataFrame, lambda frame: length in (None, len(frame.data)))


def acknowledges_settings(peer):
    peer.first_of(SettingsFrame, lambda frame: "ACK" in frame.flags)


def acknowledges_ping(payload):
    def is_acknowledged(peer):
        peer.first_of(PingFrame, lambda frame: "ACK" not in frame.flags or frame.opaque_data == payload)
        while "ACK" not in peer.seen[-1].flags:
            peer.first_of(PingFrame, lambda frame: "ACK" not in frame.flags or frame.opaque_data == payload)

    return is_acknowledged


def acknowledges_ping_or_closes(payload):
    def is_acknowledged(peer):
        for frame in peer.next_frames():
            if isinstance(frame, PingFrame) and "ACK" in frame.flags and frame.opaque_data == payload:
                return

    return is_acknowledged
