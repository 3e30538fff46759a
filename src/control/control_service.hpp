// ethnet.Control's calls. Each runs on a thread of gRPC's, says at the desk what it wants of the
// node, and waits there. Limits: control_server.hpp.
#pragma once

#include <atomic>
#include <cstdint>

#include <control.grpc.pb.h>

#include "control_server.hpp"

namespace ethnet::control {

class ControlService final : public ::ethnet::Control::Service {
 public:
  ControlService(const ControlConfig& config, Desk& desk) : config_{config}, desk_{desk} {}
  [[nodiscard]] std::uint64_t calls() const { return calls_; }

 private:
  using Context = grpc::ServerContext;
  using Status = grpc::Status;

  Status AddPeer(Context* context, const AddPeerRequest* request,
                 AddPeerResponse* response) override;
  Status RemovePeer(Context* context, const RemovePeerRequest* request,
                    RemovePeerResponse* response) override;
  Status Publish(Context* context, grpc::ServerReader<PublishRequest>* reader,
                 PublishResponse* response) override;
  Status Sample(Context* context, const SampleRequest* request,
                grpc::ServerWriter<SampleProgress>* writer) override;
  Status Get(Context* context, const GetRequest* request,
             grpc::ServerWriter<GetResponse>* writer) override;
  Status ExplainBlock(Context* context, const ExplainBlockRequest* request,
                      BlockExplanation* response) override;
  Status Stop(Context* context, const StopRequest* request, StopResponse* response) override;

  // The bytes of what was fetched, in pieces.
  [[nodiscard]] Status send_data(const das::DataId& id, grpc::ServerWriter<GetResponse>& writer);

  const ControlConfig& config_;
  Desk& desk_;
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace ethnet::control
