#pragma once

#include <vector>

#include "base/result.hpp"
#include "model/fqdn.hpp"
#include "model/issuance.hpp"

/// What a store says when it refuses, whatever it keeps its rows in.
namespace certherd::store {

tl::unexpected<Error> no_such_domain();    ///< asked for by name
tl::unexpected<Error> not_in_inventory();  ///< something is to be begun for it
tl::unexpected<Error> no_such_issuance();
tl::unexpected<Error> under_way_already();
tl::unexpected<Error> gone_on_with(const Issuance& present);
tl::unexpected<Error> not_of_this_domain();  ///< a certificate that is asked for
tl::unexpected<Error> nothing_to_amend(const Serial& serial);
tl::unexpected<Error> no_chain_of(const Serial& serial);
tl::unexpected<Error> account_changed_meanwhile();

/// Why a change of the inventory is not made: the causes, and all of them together.
Error is_there_already(const Fqdn& name);
Error changed_meanwhile(const Fqdn& name);
tl::unexpected<Error> nothing_was_changed(std::vector<Error> causes);

}  // namespace certherd::store
