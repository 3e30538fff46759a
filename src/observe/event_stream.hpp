// One StreamEvents call: at most one message under way, and a cursor. It keeps itself alive until
// gRPC is done with it. Threading: gRPC's threads, and advance() from any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include <ethscope.grpc.pb.h>

#include "event_log.hpp"
#include "scope_service.hpp"

namespace ethnet::observe {

class EventStream final : public grpc::ServerWriteReactor<ethscope::Event>,
                          public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(EventLog& log, std::shared_ptr<StreamList> list, std::uint64_t after);

  // Joins the list and begins; ends at once where there are too many.
  void begin();
  // Writes the next event, unless one is under way or there is none.
  void advance();
  // Ends the call, once what is under way has gone.
  void end(const grpc::Status& status);

 private:
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  // What to do next, decided under the lock and done without it: gRPC may call back at once.
  enum class Step : std::uint8_t { none, write, finish };
  [[nodiscard]] Step next_step();
  void take(Step step);

  EventLog& log_;
  std::shared_ptr<StreamList> list_;
  std::shared_ptr<EventStream> self_;

  std::mutex mutex_;
  ethscope::Event message_;  // belongs to gRPC while `writing_`
  std::uint64_t after_;
  LoggedEventPtr held_;  // comes after the gap that is under way
  bool writing_ = false;
  bool ending_ = false;
  bool finished_ = false;
  grpc::Status status_;
};

}  // namespace ethnet::observe
