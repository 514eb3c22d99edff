using System.Reflection;

namespace Herd.Grains.Hosting;

/// <summary>The build that runs.</summary>
public static class BuildInfo
{
    /// <summary>The version, and the commit if it was built from a repository.</summary>
    public static string Version { get; } =
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unknown";
}
