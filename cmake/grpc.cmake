# Runs right after `project(grpc)`, before any of its targets exist.

# GCC 13 and later no longer include <cstdint> by way of other headers, which some of the
# bundled sources rely on (grpc-rs #620, #666).
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include cstdint>")

# Compile the C core's own C++ sources twelve at a time. Each of them spends most of its
# time on the same headers, so this halves the build.
set(CMAKE_UNITY_BUILD ON)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)

# Files that define the same name as a neighbour stay on their own.
file(GLOB_RECURSE alone RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}"
     src/core/*.c src/core/*.cc third_party/*.c third_party/*.cc)
list(FILTER alone INCLUDE REGEX
     [[\.c$|^third_party/|^src/core/tsi/|^src/core/lib/gpr|/iomgr/ev_|/posix_engine/ev_|/credentials/(alts|external)/|xds_channel_stack_modifier|weighted_target/weighted_target|transport/bin_encoder]])
set_source_files_properties(${alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
