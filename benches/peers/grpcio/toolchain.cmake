# Instead of the project's own: the C core as grpcio by itself has it compiled.
# GCC 13 and later want this for some of its sources (grpc-rs #620, #666).
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include cstdint>")
