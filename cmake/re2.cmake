# Its sources cannot share a translation unit.
set(CMAKE_UNITY_BUILD OFF)
