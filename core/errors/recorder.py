"""Cameras and video."""

from core.errors.base import RackeyeError


class RecorderError(RackeyeError):
    """Cameras, video and its index."""


class CameraError(RecorderError):
    """A connection to a camera ended."""


class CameraRefused(CameraError):
    code = "REC-001"
    meaning = (
        "The camera (or whatever stands at its address) answers, and says no: nothing listens on the port, or RTSP "
        "answered with an error such as 404 Not Found. Check port and path of the URL; some cameras also refuse when "
        "too many viewers are connected."
    )


class CameraUnreachable(CameraError):
    code = "REC-002"
    meaning = (
        "Nothing answers at the camera's address in time: no power, a cable, another address, or a camera that hangs. "
        "The recorder goes on trying, at most every 30 s."
    )


class WrongPassword(CameraError):
    code = "REC-003"
    meaning = "The camera answers and refuses user name or password. Many cameras lock a user after some wrong tries."


class BadStream(CameraError):
    code = "REC-004"
    meaning = (
        "The camera sends something that this recorder cannot read: no RTSP, no H.264, no key frame, or spoilt data. "
        "Set the camera's stream to H.264 (Main or High profile) with a key frame each second or two."
    )


class CameraFrozen(CameraError):
    code = "REC-005"
    meaning = (
        "The connection is open, and no frame comes. The recorder connects again by itself; when it happens often, "
        "look at the camera's load, its firmware and the network."
    )


class CameraClosed(CameraError):
    code = "REC-006"
    meaning = (
        "The camera closed the connection: it restarts, or was set up anew. The recorder connects again by itself."
    )


class CameraExists(RecorderError):
    code = "REC-010"
    meaning = (
        "A camera's name is its folder on the volumes and must be unique. Remove the old one or take another name."
    )


class CameraUnknown(RecorderError):
    code = "REC-011"
    meaning = "No camera has this name. `rackeye camera` lists them."


class BadCamera(RecorderError):
    code = "REC-012"
    meaning = (
        "A camera's name is 1 to 32 of a-z, 0-9 and -; its URL is rtsp://host[:port]/path, and user and password are "
        "given apart from it or before the host, not both."
    )


class VolumeFailed(RecorderError):
    code = "REC-020"
    meaning = (
        "A recording volume cannot be written. Its cameras move to another recording volume when there is one; without "
        "one nothing is recorded. The system drive is never written to instead. Look at `rackeye vd` and `rackeye bay`."
    )


class BadVideoFile(RecorderError):
    code = "REC-021"
    meaning = (
        "A video file is not one of Rackeye's, or its beginning is damaged. It is left as it is and never deleted."
    )


class IndexBroken(RecorderError):
    code = "REC-022"
    meaning = (
        "The index of the recordings cannot be read or written. Recording goes on. The index can be built anew from "
        "the files alone: stop the recorder, run `rackeye-recorder rebuild`, start it again."
    )


class NothingRecorded(RecorderError):
    code = "REC-030"
    meaning = "There is no video of this camera at that time or after it. The timeline shows what there is."


class ViewingAbsent(RecorderError):
    code = "REC-031"
    meaning = (
        "Live view and playback go through a socket of rackeye-recorder, and it does not answer there. Recording may "
        "go on all the same: `rackeye status` tells. The journal of rackeye-recorder says why."
    )


class BadViewingRequest(RecorderError):
    code = "REC-032"
    meaning = "A request for live view or playback that the recorder does not understand: a time, or its form."
