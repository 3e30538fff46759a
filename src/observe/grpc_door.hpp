// Gives accepted connections to a gRPC server, which bounds neither their number nor says when one
// is closed: those beyond the bound are closed at once, and counted.
// Threading: hand_over() on one thread; counters on any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <boost/system/error_code.hpp>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>

#include "descriptor_list.hpp"

namespace ethnet::observe {

class GrpcDoor {
 public:
  explicit GrpcDoor(std::size_t most) : most_{most} {}

  // `Socket`: of Boost.Asio's. It is closed here, or given away.
  template <class Socket>
  void hand_over(grpc::Server& server, Socket socket) {
    boost::system::error_code error;
    socket.native_non_blocking(true, error);
    if (error || !open_.has_room(most_)) {
      ++refused_;
      return;
    }
    ++taken_;
    const int descriptor = socket.release();
    open_.add(descriptor);
    grpc::AddInsecureChannelFromFd(&server, descriptor);  // which closes it
  }

  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  std::size_t most_;
  DescriptorList open_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace ethnet::observe
