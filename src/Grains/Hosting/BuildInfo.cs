using System.Reflection;

namespace Herd.Grains.Hosting;

/// <summary>The build that runs.</summary>
public static class BuildInfo
{
    /// <summary>The version and, where it was built from a repository, the commit.</summary>
    public static string Version { get; } =
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
