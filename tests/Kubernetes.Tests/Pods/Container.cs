using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using k8s.Models;

namespace Herd.Kubernetes.Tests.Pods;

/// <summary>
/// The container of a pod on this machine: a program, its arguments and environment, and its volumes as folders.
/// </summary>
internal sealed partial class Container
{
    /// <summary>The suffix of images of the previous version.</summary>
    public const string PreviousTag = ":previous";

    /// <summary>The mode 0644 that Kubernetes gives the files of a secret whose volume names none.</summary>
    private const int FilesOfSecrets = 420;

    private readonly V1Container _container;
    private readonly string _folder;
    private readonly IReadOnlyDictionary<string, string> _fields;
    private readonly PodSetting _setting;

    /// <param name="pod">The pod as it was rendered, with one container.</param>
    /// <param name="folder">The folder of its volumes.</param>
    /// <param name="fields">The fields that variables may refer to: metadata.name, status.podIP.</param>
    /// <param name="setting">The surroundings of the pod.</param>
    public Container(V1PodSpec pod, string folder, IReadOnlyDictionary<string, string> fields, PodSetting setting)
    {
        (_container, _folder, _fields, _setting) = (pod.Containers.Single(), folder, fields, setting);
        foreach (var mount in _container.VolumeMounts)
        {
            Provide(pod.Volumes?.FirstOrDefault(volume => volume.Name == mount.Name), FolderOf(mount.MountPath));
        }
    }

    public string Log => Path.Combine(_folder, "log");

    public V1Probe? Startup => _container.StartupProbe;

    public V1Probe? Liveness => _container.LivenessProbe;

    public V1Probe? Readiness => _container.ReadinessProbe;

    public TimeSpan PreStop => TimeSpan.FromSeconds(_container.Lifecycle?.PreStop?.Sleep?.Seconds ?? 0);

    public int Port(string name) => _container.Ports.Single(port => port.Name == name
        || port.ContainerPort.ToString(CultureInfo.InvariantCulture) == name).ContainerPort;

    public Process Start()
    {
        var program = _setting.Program(
            ProjectOf(_container.Image), _container.Image.EndsWith(PreviousTag, StringComparison.Ordinal));
        string[] command = [.. _setting.Enter, program];
        var info = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        foreach (var argument in _container.Args ?? [])
        {
            info.ArgumentList.Add(Here(argument));
        }

        var values = new Dictionary<string, string>();
        foreach (var variable in _container.Env ?? [])
        {
            values[variable.Name] = Reference().Replace(ValueOf(variable), found => values[found.Groups[1].Value]);
        }

        foreach (var (name, value) in values.Select(pair => KeyValuePair.Create(pair.Key, Here(pair.Value)))
            .Concat(_setting.Overrides))
        {
            info.Environment[name] = value;
        }

        var process = Process.Start(info)!;
        process.StandardInput.Close();
        _ = Copy(process);
        return process;
    }

    private static string ProjectOf(string image) => image.Split(':')[0] switch
    {
        "herd/node" => "Silo",
        "herd/gateway" => "Gateway",
        "herd/store" => "Store",
        _ => throw new ArgumentException($"There is no program of the image {image}.", nameof(image)),
    };

    private async Task Copy(Process process)
    {
        await using var log = new StreamWriter(
            new FileStream(Log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        var writing = TextWriter.Synchronized(log);
        await Task.WhenAll(Read(process.StandardOutput), Read(process.StandardError));

        async Task Read(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                await writing.WriteLineAsync(line);
            }
        }
    }

    private string ValueOf(V1EnvVar variable) => variable.ValueFrom switch
    {
        { FieldRef.FieldPath: var path } => _fields[path],
        { SecretKeyRef: { } secret } => _setting.Secret(secret.Name)[secret.Key],
        _ => variable.Value ?? "",
    };

    /// <summary>
    /// Replaces paths of volumes by folders of the pod, names of services by addresses, and wildcard addresses by the
    /// pod's.
    /// </summary>
    private string Here(string value)
    {
        var mount = _container.VolumeMounts.Where(mount => value.StartsWith(mount.MountPath, StringComparison.Ordinal))
            .MaxBy(mount => mount.MountPath.Length);
        value = mount is null ? value : FolderOf(mount.MountPath) + value[mount.MountPath.Length..];
        value = value == "0.0.0.0" ? _fields["status.podIP"] : value;
        return Host().Replace(
            value, host => _setting.AddressOf(host.Groups[1].Value) is { } address ? $"{address}:" : host.Value);
    }

    private string FolderOf(string mountPath) =>
        Path.Combine(_folder, "volumes", mountPath.Trim('/').Replace('/', '-'));

    private void Provide(V1Volume? volume, string folder)
    {
        if (volume?.Image is not null || volume?.PersistentVolumeClaim is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
            Directory.CreateSymbolicLink(folder, _setting.Models);
            return;
        }

        Directory.CreateDirectory(folder);
        if (volume?.Secret is { } secret)
        {
            foreach (var (name, value) in _setting.Secret(secret.SecretName))
            {
                var file = Path.Combine(folder, name);
                File.WriteAllText(file, value);
                File.SetUnixFileMode(file, (UnixFileMode)(secret.DefaultMode ?? FilesOfSecrets));
            }
        }
    }

    [GeneratedRegex(@"\$\(([A-Za-z0-9_]+)\)")]
    private static partial Regex Reference();

    [GeneratedRegex("^([a-z][a-z0-9-]*):")]
    private static partial Regex Host();
}

/// <summary>The surroundings of a pod on this machine.</summary>
/// <param name="Secret">The keys and values of a secret.</param>
/// <param name="AddressOf">The address of a service; null for an unknown name.</param>
/// <param name="Models">The folder with models.</param>
/// <param name="Overrides">Environment variables that tests add.</param>
/// <param name="Enter">The command prefix that runs the program in the network of its machine.</param>
/// <param name="Program">The path of a project's program, of this version or the previous one.</param>
internal sealed record PodSetting(
    Func<string, IReadOnlyDictionary<string, string>> Secret,
    Func<string, string?> AddressOf,
    string Models,
    IReadOnlyDictionary<string, string> Overrides,
    IReadOnlyList<string> Enter,
    Func<string, bool, string> Program);
