# ethnet_proto(NAME ethscope): messages and stubs made of proto/NAME.proto, as ethnet_NAME_proto.
# Generated code has the hardening of ours, not its warnings.
function(ethnet_proto)
  cmake_parse_arguments(P "" "NAME" "" ${ARGN})
  set(proto ${CMAKE_SOURCE_DIR}/proto/${P_NAME}.proto)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${P_NAME})
  add_custom_command(OUTPUT ${made}.pb.cc ${made}.pb.h ${made}.grpc.pb.cc ${made}.grpc.pb.h
    COMMAND protobuf::protoc -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${CMAKE_CURRENT_BINARY_DIR}
      --grpc_out=${CMAKE_CURRENT_BINARY_DIR} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${proto}
    DEPENDS ${proto} VERBATIM)
  set(lib ethnet_${P_NAME}_proto)
  add_library(${lib} STATIC ${made}.pb.cc ${made}.grpc.pb.cc)
  target_include_directories(${lib} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(${lib} PUBLIC gRPC::grpc++ protobuf::libprotobuf PRIVATE ethnet_hardened_options)
endfunction()

# ethnet_health_proto(): the messages of grpc.health.v1 (package grpc-proto), as ethnet_health_proto. gRPC's own health
# service has no descriptors, and reflection could name it and not describe it.
function(ethnet_health_proto)
  find_path(GRPC_PROTOS grpc/health/v1/health.proto PATHS /usr/share/grpc-proto REQUIRED)
  set(proto ${GRPC_PROTOS}/grpc/health/v1/health.proto)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/grpc/health/v1/health)
  add_custom_command(OUTPUT ${made}.pb.cc ${made}.pb.h
    COMMAND protobuf::protoc -I ${GRPC_PROTOS} --cpp_out=${CMAKE_CURRENT_BINARY_DIR} ${proto}
    DEPENDS ${proto} VERBATIM)
  add_library(ethnet_health_proto STATIC ${made}.pb.cc)
  target_include_directories(ethnet_health_proto SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
  target_link_libraries(ethnet_health_proto PUBLIC protobuf::libprotobuf PRIVATE ethnet_hardened_options)
endfunction()
