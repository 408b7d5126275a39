#include "store/codec_arguments.hpp"

#include "store/codec_certificate_members.hpp"

namespace certherd::store {

// Most requests, and those from before there was anything to say, say nothing.
template <>
struct codec::Members<WorkRequest::Arguments> {
  static void each(auto& object, auto&& visit) {
    visit(later("target"), object.target);
    visit(later("serial"), object.serial);
    visit(later("reason"), object.reason);
    visit(later("by_key"), object.by_key);
    visit(later("patient_until"), object.patient_until);
  }
};

std::string encode_arguments(const WorkRequest::Arguments& arguments) {
  if (arguments == WorkRequest::Arguments()) return "{}";
  return codec::to_text(arguments);
}

Result<WorkRequest::Arguments> decode_arguments(std::string_view text) {
  return codec::from_text<WorkRequest::Arguments>(text);
}

}  // namespace certherd::store
