# Included by `project(grpc)`, before any target of the C core exists.

# Some bundled sources use <cstdint> without including it, which GCC 13 and later refuse
# (grpc-rs #617, #666).
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include cstdint>")

# Compile C++ sources in groups of 48, which more than halves the build time: most of it goes into the same headers. A
# group takes up to 1.1 gigabytes of memory.
set(CMAKE_UNITY_BUILD ON)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 48)

# Files that define the same name as another file of their group are compiled alone.
file(GLOB_RECURSE alone RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}"
     src/core/*.c src/core/*.cc third_party/*.c third_party/*.cc)
string(JOIN "|" clashing
       [[\.c$]]
       [[^third_party/]]
       [[^src/core/tsi/(fake_|local_|ssl/)]]
       [[^src/core/tsi/alts/((zero_copy_)?frame_protector/|handshaker/alts_(handshaker_client|tsi_handshaker))]]
       [[/credentials/alts/grpc_alts_credentials_server_options]]
       [[/credentials/external/external_account_credentials]]
       [[/credentials/google_default/google_default]]
       [[/lb_policy/(weighted_target/|xds/xds_cluster_manager)]]
       [[/iomgr/(iomgr_posix|timer_manager)]]
       [[/iomgr/ev_]]
       [[/posix_engine/ev_]]
       [[/transport/bin_encoder]]
       [[/xds_channel_stack_modifier]])
list(FILTER alone INCLUDE REGEX "${clashing}")
set_source_files_properties(${alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)

# So are those of three libraries of Abseil.
cmake_language(DEFER CALL set_target_properties strings time time_zone PROPERTIES UNITY_BUILD OFF)


include("${CMAKE_CURRENT_LIST_DIR}/parts.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/patches.cmake")
