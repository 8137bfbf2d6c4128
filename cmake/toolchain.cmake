# CMake settings of the C core and its bundled libraries, which all read this file as their toolchain
# (.cargo/config.toml). It chooses no compiler.

# As most distributions compile it; CMake's default, -O3, takes longer to compile.
foreach(language C CXX)
  set(CMAKE_${language}_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "")
endforeach()

set(CMAKE_PROJECT_grpc_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/grpc.cmake")
foreach(library absl c-ares RE2)
  set(CMAKE_PROJECT_${library}_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/bundled.cmake")
endforeach()
