package storetest

import "time"

const (
	quick = 30 * time.Second
	slow  = 3 * time.Minute
)

// rules is the contract in the order in which a store is best repaired.
var rules = []Rule{
	{
		Name: "load_unknown", timeout: quick, check: loadUnknown,
		Why: "Load of an account that does not exist wraps credential.ErrNotFound; " +
			"any other answer makes up an account or turns a stranger into a server error.",
	},
	{
		Name: "load_new", timeout: quick, check: loadNew, after: []string{"load_unknown"},
		Why: "An account without a stored State loads with its id, the zero State and Version 0, and two Loads give the same.",
	},
	{
		Name: "all_or_nothing", timeout: quick, check: allOrNothing, after: []string{"load_new"},
		Why: "A Save that returns credential.ErrConflict has changed nothing; " +
			"the library decides again on that promise, and would act twice.",
	},
	{
		Name: "save_new", timeout: quick, check: saveNew, after: []string{"all_or_nothing"},
		Why: "Save of an account as it was loaded succeeds, the first time and later, and Load returns the State that was saved.",
	},
	{
		Name: "version_as_given", timeout: quick, check: versionAsGiven, after: []string{"save_new"},
		Why: "Save stores Next as the version, exactly as it is given; a store that counts gives a version out twice after a fail-over, " +
			"and then one request overwrites what another has saved.",
	},
	{
		Name: "bad_version", timeout: quick, check: badVersion, after: []string{"version_as_given"},
		Why: "Save with a Next that is not 1 to credential.MaxVersion, or is the same as Version, wraps credential.ErrVersion and writes nothing; " +
			"a Save that leaves the version as it was is invisible to another request.",
	},
	{
		Name: "save_stale", timeout: quick, check: saveStale, after: []string{"version_as_given"},
		Why: "Save of an account that was saved since it was loaded wraps credential.ErrConflict; " +
			"otherwise one one-time code makes two devices.",
	},
	{
		Name: "durable_on_return", timeout: quick, check: durableOnReturn, after: []string{"save_new"},
		Why: "What Save stored is visible through another handle when Save returns; " +
			"a write that waits in memory is a spent proof that comes back.",
	},
	{
		Name: "load_fresh", timeout: slow, check: loadFresh, after: []string{"durable_on_return", "version_as_given"},
		Why: "Load reads what is stored now, not a copy of its own, not even once in a while; a stale read brings spent proofs back.",
	},
	{
		Name: "only_state", timeout: quick, check: onlyState, after: []string{"load_fresh"},
		Why: "Save writes State and the version and nothing else; " +
			"a store that saves the whole row undoes a password change.",
	},
	{
		Name: "one_account", timeout: quick, check: oneAccount, after: []string{"save_new"},
		Why: "Save of one account leaves every other account alone.",
	},
	{
		Name: "hash_changed", timeout: quick, check: hashChanged, after: []string{"only_state", "save_stale"},
		Why: "Save after the host changed a hash wraps credential.ErrConflict; " +
			"otherwise a device is created on the old password.",
	},
	{
		Name: "exact_hash", timeout: quick, check: exactHash, after: []string{"hash_changed"},
		Why: "Hashes are compared byte by byte: one that differs in case, a trailing space or an accent is another hash; " +
			"a collation that ignores it lets a device stand on the old password.",
	},
	{
		Name: "locked", timeout: quick, check: locked, after: []string{"only_state", "save_stale"},
		Why: "Save after the host locked the account wraps credential.ErrConflict; " +
			"otherwise a locked account gets a device.",
	},
	{
		Name: "registration_changed", timeout: quick, check: registrationChanged, after: []string{"only_state", "save_stale"},
		Why: "Save after the host changed the registration time wraps credential.ErrConflict; " +
			"otherwise a device is created in a grace window that is closed.",
	},
	{
		Name: "change_under_way", timeout: quick, check: changeUnderWay, after: []string{"hash_changed"},
		Why: "Save waits for a change that the host is committing, and then wraps credential.ErrConflict or ErrSerialization; " +
			"otherwise a device is created on a password that is just being replaced.",
	},
	{
		Name: "deleted", timeout: quick, check: deleted, after: []string{"save_stale", "load_fresh"},
		Why: "Save after the host deleted the account wraps credential.ErrConflict and never brings the account back; " +
			"an account that is given the id later has none of its devices.",
	},
	{
		Name: "one_winner", timeout: slow, check: oneWinner, after: []string{"save_stale", "load_fresh"},
		Why: "Of 32 handles that save the same version at once exactly one succeeds and the others get credential.ErrConflict or credential.ErrSerialization; " +
			"a store that checks and then writes lets several through.",
	},
	{
		Name: "no_lost_update", timeout: slow, check: noLostUpdate, after: []string{"one_winner"},
		Why: "1,000 increments by 8 handles add up to 1,000; one that is lost is a failed attempt that was not counted.",
	},
	{
		Name: "cancelled", timeout: quick, check: cancelled, after: []string{"save_new"},
		Why: "With a cancelled context Load and Save return an error that wraps context.Canceled, and nothing is written.",
	},
	{
		Name: "deadline", timeout: quick, check: deadline, after: []string{"cancelled"},
		Why: "With a context past its deadline Load and Save return an error that wraps context.DeadlineExceeded, and nothing is written.",
	},
	{
		Name: "slices_not_shared", timeout: quick, check: slicesNotShared, after: []string{"save_new"},
		Why: "The slices of an Account belong to the caller, before a Save and after a Load; " +
			"altering them must not alter what is stored.",
	},
	{
		Name: "large_state", timeout: quick, check: largeState, after: []string{"durable_on_return"},
		Why: "A State of 20 devices, 50 one-time codes and 50 spent proofs is stored whole.",
	},
	{
		Name: "largest_state", timeout: quick, check: largestState, after: []string{"large_state"},
		Why: "A State of exactly credential.MaxStateBytes, 262,144, is stored whole; " +
			"a column that holds 65,535 bytes cuts it short, and the account never loads again.",
	},
	{
		Name: "bad_numbers", timeout: quick, check: badNumbers, after: []string{"save_new"},
		Why: "A State with a number that does not encode, such as a negative count, is refused with credential.ErrStateSize and nothing is written; " +
			"a store that keeps it, or mends it, gives back another State than it was given.",
	},
	{
		Name: "oversized_state", timeout: quick, check: oversizedState, after: []string{"save_new"},
		Why: "A State beyond its bounds is refused with credential.ErrStateSize and nothing is written; cutting it short forgets spent proofs.",
	},
	{
		Name: "exact_times", timeout: quick, check: exactTimes, after: []string{"durable_on_return"},
		Why: "The times in a State come back to the nanosecond; a time that is rounded moves a deadline.",
	},
	{
		Name: "exact_bytes", timeout: quick, check: exactBytes, after: []string{"durable_on_return"},
		Why: "The bytes in a State come back as they were, NUL and what is not UTF-8 included; " +
			"sealed secrets and fingerprints are such bytes.",
	},
	{
		Name: "unknown_members", timeout: quick, check: unknownMembers, after: []string{"durable_on_return"},
		Why: "What a newer release has put into a State survives a Save by this one; " +
			"a store that copies the fields it knows loses it while a service rolls.",
	},
	{
		Name: "unknown_format", timeout: quick, check: unknownFormat, after: []string{"durable_on_return"},
		Why: "Load of a State in a format that this release does not know wraps credential.ErrStateFormat; " +
			"taking it for empty forgets every spent proof and every failure.",
	},
	{
		Name: "odd_ids", timeout: quick, check: oddIDs, after: []string{"save_stale", "one_account"},
		Why: "Ids with quotes, spaces, NUL or any other byte are kept apart, or do not exist: ErrNotFound and ErrConflict, no other error.",
	},
	{
		Name: "one_spelling", timeout: quick, check: oneSpelling, after: []string{"odd_ids"},
		Why: "An account is found by its exact id only; if 7 and 07, or two cases of one UUID, are the same account, " +
			"secrets sealed for the one spelling do not open for the other.",
	},
}
