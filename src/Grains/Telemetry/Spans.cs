using System.Diagnostics;

namespace Herd.Grains.Telemetry;

/// <summary>
/// A trace of each turn: its steps on gateway and node. Names and attributes follow OpenTelemetry's conventions for
/// generative AI, or begin with "herd.". They contain no text of users or models.
/// </summary>
internal static class Spans
{
    public const string SourceName = "Herd";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The context to send to another process; null if there is no trace.</summary>
    public static string? Current => Activity.Current?.Id;

    /// <summary>A step from now until it is disposed, or one that began before.</summary>
    /// <param name="name">The step.</param>
    /// <param name="kind">The direction of the call, if the step is one.</param>
    /// <param name="caller">The caller's <see cref="Current"/>; null means the current step of this process.</param>
    /// <param name="begun">The time of its beginning; the default is now.</param>
    public static Activity? Begin(
        string name,
        ActivityKind kind = ActivityKind.Internal,
        string? caller = null,
        DateTimeOffset begun = default) =>
        Source.StartActivity(name, kind, caller, startTime: begun);

    /// <summary>Adds a step of the current one that has ended.</summary>
    /// <returns>The time of its end.</returns>
    public static DateTimeOffset Past(
        string name, DateTimeOffset begun, TimeSpan took, params ReadOnlySpan<(string Key, object? Value)> tags)
    {
        using var span = Begin(name, begun: begun);
        foreach (var (key, value) in tags)
        {
            span?.SetTag(key, value);
        }

        span?.SetEndTime((begun + took).UtcDateTime);
        return begun + took;
    }

    /// <summary>Records that a step failed, with the kind of the error only.</summary>
    public static void Fail(this Activity? span, string error) =>
        span?.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error);
}
