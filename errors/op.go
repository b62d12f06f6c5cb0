package errors

// An Op names an operation of the library, in [Error] and in Event.
type Op string

// The operations.
const (
	OpNewIssuer Op = "new-issuer" // devicetotp.NewIssuer; it has no Event
	OpCreate    Op = "create"
	OpVerify    Op = "verify"
	OpAddCode   Op = "add-code"
	OpUnblock   Op = "unblock"
	OpInspect   Op = "inspect"
	OpProve     Op = "prove"
	OpRename    Op = "rename"
	OpRevoke    Op = "revoke"
	OpRotate    Op = "rotate"
	OpImport    Op = "import"
	OpReseal    Op = "reseal"

	OpReplaceRecoveryCodes Op = "replace-recovery-codes"
)
