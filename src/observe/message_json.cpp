#include "message_json.hpp"

#include <span>
#include <stdexcept>
#include <utility>

#include <base/hex.hpp>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

namespace ethnet::observe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Json = nlohmann::ordered_json;

std::string hex_of(const std::string& bytes) {
  return to_hex_0x(std::as_bytes(std::span{bytes.data(), bytes.size()}));
}

Json to_json(const Message& message);

// A field that is there once.
Json single(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetEnum(message, &field)->name();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(reflection.GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? hex_of(text) : text;
    }
  }
  return nullptr;
}

// One element of a repeated field.
Json element(const Message& message, const FieldDescriptor& field, int index) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetRepeatedEnum(message, &field, index)->name();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(reflection.GetRepeatedMessage(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetRepeatedString(message, &field, index);
      return field.type() == FieldDescriptor::TYPE_BYTES ? hex_of(text) : text;
    }
    default:
      throw std::logic_error(fmt::format("{}: no such list is known here", field.full_name()));
  }
}

bool is_shown(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  if (field.is_repeated()) return true;
  if (field.has_presence()) return reflection.HasField(message, &field);
  const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  return !text || reflection.HasField(message, &field);
}

Json to_json(const Message& message) {
  Json out = Json::object();
  const auto& descriptor = *message.GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (!is_shown(message, field)) continue;
    Json value = Json::array();
    if (field.is_repeated()) {
      const int size = message.GetReflection()->FieldSize(message, &field);
      for (int at = 0; at < size; ++at) value.push_back(element(message, field, at));
    } else {
      value = single(message, field);
    }
    out[field.name()] = std::move(value);
  }
  return out;
}

}  // namespace

std::string json_text(const Message& message) {
  return to_json(message).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ethnet::observe
