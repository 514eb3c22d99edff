using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting;

/// <summary>Collects all errors of options, so that they are reported together.</summary>
public sealed class OptionErrors
{
    private readonly List<string> _errors = [];

    public void Require(bool condition, string error)
    {
        if (!condition)
        {
            _errors.Add(error);
        }
    }

    public ValidateOptionsResult ToResult() =>
        _errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(_errors);
}
