#include "behaviour.hpp"

namespace ethnet::node {

using peers::Behaviour;

Behaviour behaviour_of(mini_sync::Misbehaviour what) {
  switch (what) {
    case mini_sync::Misbehaviour::malformed_message:
    case mini_sync::Misbehaviour::wrong_genesis:  // the Hellos had agreed on one
      return Behaviour::breach;
    case mini_sync::Misbehaviour::unsolicited_response:
    case mini_sync::Misbehaviour::oversized_response:
    case mini_sync::Misbehaviour::unlinked_headers:
      return Behaviour::unsolicited;
    case mini_sync::Misbehaviour::invalid_header:
    case mini_sync::Misbehaviour::bad_signature:
      return Behaviour::invalid_data;
    case mini_sync::Misbehaviour::too_many_requests:
      return Behaviour::excess;
    case mini_sync::Misbehaviour::unresponsive:
      return Behaviour::unresponsive;
    case mini_sync::Misbehaviour::side_headers:
      return Behaviour::useless;
  }
  return Behaviour::breach;
}

Behaviour behaviour_of(das_lite::Misbehaviour what) {
  switch (what) {
    case das_lite::Misbehaviour::malformed_message:
      return Behaviour::breach;
    case das_lite::Misbehaviour::unsolicited_response:
      return Behaviour::unsolicited;
    case das_lite::Misbehaviour::wrong_chunk:
    case das_lite::Misbehaviour::false_sizes:
      return Behaviour::invalid_data;
    case das_lite::Misbehaviour::too_many_requests:
      return Behaviour::excess;
  }
  return Behaviour::breach;
}

Behaviour behaviour_of(discv_lite::Misbehaviour what) {
  switch (what) {
    case discv_lite::Misbehaviour::malformed_message:
      return Behaviour::breach;
    case discv_lite::Misbehaviour::unsolicited_response:
    case discv_lite::Misbehaviour::oversized_response:
      return Behaviour::unsolicited;
    case discv_lite::Misbehaviour::bad_record:
      return Behaviour::invalid_data;  // who passes a record on has judged it
    case discv_lite::Misbehaviour::too_many_requests:
      return Behaviour::excess;
  }
  return Behaviour::breach;
}

session::DisconnectReason reason_for(Behaviour what) {
  switch (what) {
    // A long branch that lost may be an honest one, of a partition.
    case Behaviour::useless:
    case Behaviour::unresponsive:
    case Behaviour::broken_promise:
      return session::DisconnectReason::useless_peer;
    case Behaviour::breach:
    case Behaviour::invalid_data:
    case Behaviour::unsolicited:
    case Behaviour::excess:
    case Behaviour::bad_record:
      return session::DisconnectReason::protocol_breach;
  }
  return session::DisconnectReason::protocol_breach;
}

}  // namespace ethnet::node
