# The libraries bundled with the C core are built file by file: their sources do not
# expect to share a translation unit.
set(CMAKE_UNITY_BUILD OFF)
