# CMake settings of the C core and its bundled libraries, which all read this file as their toolchain
# (.cargo/config.toml). It chooses no compiler.
#
# The environment, which Cargo does not watch: run `cargo clean -p grpcio-sys` after a change.
#   GRPCIO_STOCK_CORE=1   the released C core, without patches/grpc/
#   GRPCIO_XDS=1          with xDS (xds:///), RLS and re2

# As most distributions compile it; CMake's default, -O3, takes longer to compile. So does -O2 with a sanitizer.
set(optimization -O2)
if("$ENV{CXXFLAGS}" MATCHES "-fsanitize")
  set(optimization -O1)
endif()
# The C core catches no exception, and is linked statically.
string(APPEND optimization " -fno-exceptions -fvisibility=hidden")
foreach(language C CXX)
  set(CMAKE_${language}_FLAGS_RELEASE "${optimization} -DNDEBUG" CACHE STRING "")
endforeach()

set(CMAKE_PROJECT_grpc_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/grpc.cmake")
set(CMAKE_PROJECT_RE2_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/re2.cmake")
