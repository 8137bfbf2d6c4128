# In place of the project's cmake/toolchain.cmake: the C core as grpcio compiles it by default.
# Some of its sources need this with GCC 13 and later (grpc-rs #620, #666).
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include cstdint>")
