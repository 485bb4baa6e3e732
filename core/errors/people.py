"""What a person meets: the command line, accounts, the console, alarms."""

from core.errors.base import RackeyeError

# -- the command line -------------------------------------------------------------------------------------------------


class CliError(RackeyeError):
    """The command line."""


class NotConfirmed(CliError):
    code = "CLI-001"
    meaning = (
        "The command would destroy or change data, and was not confirmed: the name that it asked for was not typed. "
        "Nothing was changed. In scripts, `--yes` confirms."
    )


class WorkFailed(CliError):
    code = "CLI-002"
    meaning = (
        "The work that was asked for began, and did not come to its end. The message says what the daemon said of it; "
        "`rackeye vd` shows how things stand now, and nothing is lost by looking."
    )


# -- accounts ---------------------------------------------------------------------------------------------------------


class AccountError(RackeyeError):
    """Who somebody is, and what they may do."""


class WrongLogin(AccountError):
    code = "ACC-001"
    meaning = (
        "User and password do not fit together; which of the two is wrong is not said. After five wrong passwords "
        "from one place the account is locked for that place, each time twice as long. An administrator can set a "
        "new password: `sudo rackeye account password NAME`. When all are forgotten, hold the reset button 10 s at "
        "power-on: the appliance restores to default after a minute of beeping."
    )


class AccountLocked(AccountError):
    code = "ACC-002"
    meaning = (
        "There were too many wrong passwords. The message says how long no password is looked at; each further wrong "
        "one doubles that, up to an hour. The console at the machine has a count of its own, so that nobody on the "
        "network can lock the person who stands before the box."
    )


class MustChangePassword(AccountError):
    code = "ACC-003"
    meaning = (
        "The account still has the password that somebody else knows (the factory's, or one that an administrator "
        "set). Until it is changed nothing else is allowed."
    )


class BadPassword(AccountError):
    code = "ACC-004"
    meaning = (
        "The new password is refused: it needs 8 to 256 characters, must not be the name or the old password, and not "
        "one of those that everybody tries first."
    )


class NoSuchAccount(AccountError):
    code = "ACC-005"
    meaning = "There is no account or API token of this name. `sudo rackeye account list` shows them."


class AccountExists(AccountError):
    code = "ACC-006"
    meaning = "There is an account of this name already."


class LastAdministrator(AccountError):
    code = "ACC-007"
    meaning = "The last administrator cannot be removed or made a viewer: nobody could mend that. Add another first."


class SessionOver(AccountError):
    code = "ACC-008"
    meaning = (
        "The session or API token is not (or no longer) valid: logged out, two hours without use, seven days old, the "
        "password changed, or the appliance restored to default. Log in again."
    )


class NotPermitted(AccountError):
    code = "ACC-009"
    meaning = "A viewer may look at everything and change nothing. An administrator can do it."


class AccountsBroken(AccountError):
    code = "ACC-010"
    meaning = (
        "The accounts' database cannot be read or written, so nobody can log in over the network; recording goes on. "
        "Look for a full or failing system drive. If the file is damaged, hold the reset button 10 s at power-on: a "
        "restore to default makes a new one with the factory account. The boot menu cannot: it has no password to go "
        "by. Without a reset button, `sudo rm /var/lib/rackeye/accounts/accounts.sqlite*` makes a new one, too."
    )


class BadAccountName(AccountError):
    code = "ACC-011"
    meaning = "A name of an account or token has 1 to 32 characters of a-z, 0-9, dot, underscore and hyphen."


# -- the console ------------------------------------------------------------------------------------------------------


class WebError(RackeyeError):
    """The console's page and its API."""


class Forged(WebError):
    code = "WEB-001"
    meaning = (
        "A request that would change something did not come from this console's own page: another site tried to use "
        "the session of somebody who is logged in here, or the page is of a session that has ended. Load the page "
        "again. A program sends an API token in the header `Authorization: Bearer ...` instead."
    )


class TooManyRequests(WebError):
    code = "WEB-002"
    meaning = "One address asks for more than the console gives to one address. Wait a few seconds."


class NotThere(WebError):
    code = "WEB-003"
    meaning = "The API has nothing of this name. /api/v1/openapi.json lists all it has."


# -- alarms -----------------------------------------------------------------------------------------------------------


class AlarmError(RackeyeError):
    """Alarms that are asked for and cannot be found."""


class NoSuchAlarm(AlarmError):
    code = "ALARM-001"
    meaning = "The number names no open alarm: it was cleared meanwhile, or never was. `rackeye alarm` lists them."


class NoMail(AlarmError):
    code = "ALARM-002"
    meaning = (
        "No mail server is set. In /etc/rackeye/rackeye.toml: [mail] host, port, tls (starttls, tls, none), user, "
        "password, sender, to = [...]; then `systemctl reload rackeye-policyd` and `rackeye alarm mail-test`."
    )


class MailFailed(AlarmError):
    code = "ALARM-003"
    meaning = (
        "The mail server could not be reached, refused the password, or took none of the addresses; its own words are "
        "in the sentence. Alarms wait and are tried again for a day; `rackeye alarm show ID` says who was not told."
    )


class WebhookFailed(AlarmError):
    code = "ALARM-004"
    meaning = (
        "The webhook's server could not be reached or did not answer with success (2xx). Events wait and are tried "
        "again for a day, ever more seldom."
    )
