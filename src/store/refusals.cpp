#include "store/refusals.hpp"

#include <fmt/format.h>

namespace certherd::store {

using Kind = Error::Kind;

tl::unexpected<Error> no_such_domain() {
  return fail(Kind::not_found, "", "is not in the inventory: see certherd domain list");
}

tl::unexpected<Error> not_in_inventory() {
  return fail(Kind::not_found, "", "the domain is not in the inventory");
}

tl::unexpected<Error> no_such_issuance() {
  return fail(Kind::not_found, "", "there is no such issuance");
}

tl::unexpected<Error> under_way_already() {
  return fail(Kind::conflict, "", "an issuance of this domain is under way already");
}

tl::unexpected<Error> gone_on_with(const Issuance& present) {
  return fail(Kind::conflict, "",
              fmt::format("another process went on with it: it is at revision {}, step {}",
                          present.revision, to_string(present.step)));
}

tl::unexpected<Error> not_of_this_domain() {
  return fail(Kind::not_found, "", "is none of this domain: see certherd cert list --all");
}

tl::unexpected<Error> nothing_to_amend(const Serial& serial) {
  return fail(Kind::not_found, "", fmt::format("the domain has no certificate {}", serial));
}

tl::unexpected<Error> no_chain_of(const Serial& serial) {
  return fail(Kind::not_found, "",
              fmt::format("no issuance of the store holds certificate {}", serial));
}

tl::unexpected<Error> account_changed_meanwhile() {
  return fail(Kind::conflict, "", "another process has changed it meanwhile: run it again");
}

Error is_there_already(const Fqdn& name) {
  return fail(Kind::conflict, name.text(), "is there already").value();
}

Error changed_meanwhile(const Fqdn& name) {
  return fail(Kind::conflict, name.text(),
              "was changed or removed by somebody else in this moment: look at it and try again")
      .value();
}

tl::unexpected<Error> nothing_was_changed(std::vector<Error> causes) {
  Error error;
  error.kind = Kind::conflict;
  error.detail = "nothing was changed";
  error.causes = std::move(causes);
  return fail(std::move(error));
}

}  // namespace certherd::store
