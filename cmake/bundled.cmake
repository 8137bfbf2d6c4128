# The libraries bundled with the C core are compiled file by file: their sources cannot
# share a translation unit.
set(CMAKE_UNITY_BUILD OFF)
