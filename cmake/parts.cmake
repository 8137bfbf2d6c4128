# Leaves out what the C core can do without: the parts that take the longest to compile, and most of the published
# vulnerabilities (docs/security.md).

# Names are resolved by the system (getaddrinfo), as other programs of the machine do.
set(gRPC_CARES_PROVIDER none CACHE STRING "")
add_compile_definitions(GRPC_ARES=0)
set(left_out_libraries cares)
set(left_out_sources [[/dns/c_ares/grpc_ares_]])

# xDS and RLS are half of the C core's sources, and only they use re2.
if(NOT "$ENV{GRPCIO_XDS}" STREQUAL "1")
  set(gRPC_RE2_PROVIDER none CACHE STRING "")
  add_compile_definitions(GRPC_NO_XDS GRPC_NO_RLS)
  list(APPEND left_out_libraries re2)
  list(APPEND left_out_sources
       [[/ext/filters/(rbac|stateful_session)/]]
       [[/ext/xds/]]
       [[/ext/upb-generated/(envoy|google/api|opencensus|src/proto/grpc/lookup|udpa|xds/(annotations|core|type))/]]
       [[/ext/upbdefs-generated/]]
       [[/lb_policy/(ring_hash|rls|xds)/]]
       [[/lib/matchers/]]
       [[/resolver/(google_c2p|xds)/]]
       [[/security/authorization/(audit_logging|grpc_authorization_engine|matchers|rbac_policy|stdout_logger)]]
       [[/security/credentials/xds/]])
endif()

function(leave_out_parts)
  # grpcio-sys links the libraries of a whole C core.
  file(WRITE "${CMAKE_BINARY_DIR}/nothing.c" "typedef int nothing;\n")
  foreach(library IN LISTS left_out_libraries)
    add_library(${library} STATIC "${CMAKE_BINARY_DIR}/nothing.c")
  endforeach()
  string(JOIN "|" pattern ${left_out_sources})
  foreach(target grpc grpc_unsecure)
    add_dependencies(${target} ${left_out_libraries})
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources EXCLUDE REGEX "${pattern}")
    set_target_properties(${target} PROPERTIES SOURCES "${sources}")
  endforeach()
endfunction()
cmake_language(DEFER CALL leave_out_parts)
