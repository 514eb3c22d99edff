namespace Herd.Store.Tests;

public sealed class DiskWatchTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("herd-disk-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The probe fails while a folder has its name, as it fails on a full disk.</summary>
    [Fact]
    public void Look_WriteFailedOnAFullDisk_RestartsWhenThereIsSpace()
    {
        var lines = new List<string>();
        var restarts = 0;
        var isBroken = false;
        var watch = new DiskWatch(_folder.FullName, () => isBroken, () => restarts++, lines.Add);
        var obstacle = Path.Combine(_folder.FullName, "space.probe", "x");

        watch.Look();
        Assert.Empty(_folder.GetFileSystemInfos());
        Directory.CreateDirectory(obstacle);
        isBroken = true;
        watch.Look();
        watch.Look();
        Assert.Equal((0, 1), (restarts, lines.Count));
        Directory.Delete(Path.GetDirectoryName(obstacle)!, recursive: true);
        watch.Look();

        Assert.Equal(1, restarts);
        Assert.Collection(
            lines,
            full => Assert.Contains($"no space for the store in {_folder.FullName}", full, StringComparison.Ordinal),
            again => Assert.Contains("restarts", again, StringComparison.Ordinal));
    }
}
