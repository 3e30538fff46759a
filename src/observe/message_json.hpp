// A message of proto/ethscope.proto as JSON of one line: its field names, hashes and identities as
// 0x…, and 64-bit numbers as numbers. Texts that are empty and fields that are absent are left out;
// numbers, truth values and lists are always there.
// Threading: pure. Limits: those of the message.
#pragma once

#include <string>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace ethnet::observe {

[[nodiscard]] std::string json_text(const google::protobuf::Message& message);

}  // namespace ethnet::observe
