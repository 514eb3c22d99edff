using System.Diagnostics;

namespace Herd.Grains.Telemetry;

/// <summary>
/// One trace a turn: its steps on gateway and node. Names and attributes are OpenTelemetry's conventions for generative AI where
/// those have a word, else "herd.*". Nothing that was said is in them.
/// </summary>
internal static class Spans
{
    public const string SourceName = "Herd";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The context that another process is told; null where nobody traces.</summary>
    public static string? Current => Activity.Current?.Id;

    /// <summary>A step from now until it is disposed, or one that began before.</summary>
    /// <param name="name">The step.</param>
    /// <param name="kind">Whether another process is asked, or asks.</param>
    /// <param name="caller">What the caller told as <see cref="Current"/>; null means the step under way here.</param>
    /// <param name="begun">When it began; the default is now.</param>
    public static Activity? Begin(
        string name, ActivityKind kind = ActivityKind.Internal, string? caller = null, DateTimeOffset begun = default) =>
        Source.StartActivity(name, kind, caller, startTime: begun);

    /// <summary>A step of the one under way of which only the times are known.</summary>
    /// <returns>When it ended.</returns>
    public static DateTimeOffset Past(string name, DateTimeOffset begun, TimeSpan took, params ReadOnlySpan<(string Key, object? Value)> tags)
    {
        using var span = Begin(name, begun: begun);
        foreach (var (key, value) in tags)
        {
            span?.SetTag(key, value);
        }

        span?.SetEndTime((begun + took).UtcDateTime);
        return begun + took;
    }

    /// <summary>Notes that a step failed, by the kind of error alone.</summary>
    public static void Fail(this Activity? span, string error) => span?.SetTag("error.type", error).SetStatus(ActivityStatusCode.Error);
}
