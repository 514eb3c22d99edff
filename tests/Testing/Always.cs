using System.Reflection;

namespace Herd.Testing;

/// <summary>A proxy that answers every call with the same value.</summary>
public class Always : DispatchProxy
{
    private object? _answer;

    /// <typeparam name="T">The interface of the proxy.</typeparam>
    /// <param name="answer">The value that every call returns.</param>
    public static T Return<T>(object? answer)
        where T : class
    {
        var always = Create<T, Always>();
        ((Always)(object)always)._answer = answer;
        return always;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _answer;
}
