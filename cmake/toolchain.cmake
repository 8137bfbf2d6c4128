# Hooks into the CMake projects that make up the C core; read by every one of them
# (.cargo/config.toml). It chooses no compiler.
set(CMAKE_PROJECT_grpc_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/grpc.cmake")
foreach(library absl c-ares RE2)
  set(CMAKE_PROJECT_${library}_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/bundled.cmake")
endforeach()
