using System.Reflection;

namespace Herd.Testing;

/// <summary>Answers every call with the same.</summary>
public class Always : DispatchProxy
{
    private object? _answer;

    /// <typeparam name="T">What it is seen as.</typeparam>
    /// <param name="answer">What is answered.</param>
    public static T Of<T>(object? answer)
        where T : class
    {
        var always = Create<T, Always>();
        ((Always)(object)always)._answer = answer;
        return always;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => _answer;
}
